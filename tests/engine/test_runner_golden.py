"""One conversation with everything in it, line by line as it stands in the timeline.

After a wanted change, write the file anew with MICROTURN_WRITE_GOLDEN=1 and read its difference.
"""

import os
from pathlib import Path

from engine.events import TextIn, to_json
from tests.fakes import FakeBackground, FakeCamera, FakeEngine, output
from tests.rig import Rig

GOLDEN = Path(__file__).parent / "golden" / "conversation.jsonl"


def conversation() -> Rig:
    """A question, a bridge, an answer cut off, a second request in its place, a backchannel, a slow step."""
    outputs = {
        3: output("backchannel", "mm-hm"),
        6: output("speak", "Let me see.", delegate=True),
        **{i: output("speak") for i in (7, 8)},
        **{i: output("speak", "relay") for i in range(10, 14)},
        14: output("yield"),
        17: output("speak", "drop", delegate=True),
        **{i: output("speak", "relay") for i in range(20, 26)},
        30: output("interrupt", "Excuse me."),
        31: output("listen"),
        32: output("speak"),
    }
    background = FakeBackground([
        (0.4, "partial", "what are your opening hours", {"role": "request"}),
        (0.5, "partial", "We open at nine and close ", {"role": "answer"}),
        (0.9, "partial", "at five, every day but Sunday.", {"role": "answer"}),
        (1.0, "answer", "We open at nine and close at five, every day but Sunday.", {}),
    ])  # fmt: skip
    camera = FakeCamera([(0.1 * n, n) for n in range(20)], fail_at=5.0)
    camera.events = ["started"]
    engine = FakeEngine(outputs, cost=0.04, costs={26: 0.9})
    return Rig(engine, count=40, background=background, camera=camera, script=(TextIn(3.1, "please"),))


def test_conversation_is_the_golden_one() -> None:
    lines = [to_json(event) for event in conversation().run().events]
    if os.environ.get("MICROTURN_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()

"""Makes the bundled demo recording: a minute of one person talking to the assistant.

``python -m engine.training.demo_audio assets/demo`` writes ``demo.flac`` (16 kHz
mono) and ``demo.json`` with the truth about it. The person is the bundled voice
(hibari, Apache-2.0) with a longer vocal tract, in a quiet room.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from engine.config import INPUT_HZ
from engine.training.acoustics import coloured_noise, convolve, room_response
from engine.training.clips import level, trim16, warp
from engine.types import Samples

LENGTH_S = 60.0
SEED = 7


@dataclass(frozen=True)
class Said:
    """One thing the person says, at ``t`` seconds. ``parts`` are separated by ``pauses`` seconds.

    ``what``: question, backchannel or barge_in.
    """

    t: float
    what: str
    parts: tuple[str, ...]
    pauses: tuple[float, ...] = ()


SCRIPT = (
    Said(1.0, "question", ("What is the capital of France?",)),
    Said(
        8.0,
        "question",
        ("Could you tell me, um,", "what is the largest planet in the solar system?"),
        (1.0,),
    ),
    Said(18.0, "question", ("How do bees make honey?",)),
    Said(22.6, "backchannel", ("Mm-hm.",)),
    Said(34.0, "question", ("I would like to know, um,", "how do volcanoes work?"), (1.2,)),
    Said(47.0, "question", ("Why is the sky blue?",)),
    Said(51.0, "barge_in", ("Wait, stop. How is bread made?",)),
)


def speak(text: str, tts: object) -> Samples:
    """One line in the person's voice, trimmed, 16 kHz."""
    sound = np.asarray(tts(text, speed=1.12, seed=SEED), np.float32)  # type: ignore[operator]
    return level(trim16(warp(soxr.resample(sound, 24_000, INPUT_HZ).astype(np.float32), 0.84)), 0.07)


def make_demo(folder: Path) -> None:
    """Write the recording and its truth into ``folder``."""
    from hibari import Hibari

    tts = Hibari(threads=1)
    rng = np.random.default_rng(SEED)
    dry = np.zeros(int(LENGTH_S * INPUT_HZ), np.float32)
    truth = []
    for said in SCRIPT:
        t = said.t
        spans = []
        for k, part in enumerate(said.parts):
            t += said.pauses[k - 1] if k else 0.0
            piece = speak(part, tts)
            dry[int(t * INPUT_HZ) :][: len(piece)] += piece
            spans.append([round(t, 3), round(t + len(piece) / INPUT_HZ, 3)])
            t = spans[-1][1]
        truth.append({"what": said.what, "text": " ".join(said.parts), "spans": spans, "end": spans[-1][1]})
    wet = convolve(dry, room_response(rng, 0.15, 0.9)) + 0.0012 * coloured_noise(rng, len(dry), 1.0)
    folder.mkdir(parents=True, exist_ok=True)
    sf.write(folder / "demo.flac", np.clip(wet, -1, 1), INPUT_HZ, subtype="PCM_16")
    (folder / "demo.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make_demo(Path(sys.argv[1]))

"""Whatever a model decides and however long it takes, the session stays consistent."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.conversation import AUDIBLE
from engine.decisions import DECISIONS, SAY_TOKENS
from engine.events import Fault, Transcript, event_time
from engine.types import StepOutput
from tests.fakes import FakeBackground, FakeEngine, output
from tests.rig import Rig

TURNS = 40
ANSWER = [
    (0.3, "partial", "how late is it", {"role": "request"}),
    (0.5, "partial", "It is a quarter past nine, ", {"role": "answer"}),
    (0.9, "answer", "It is a quarter past nine, I think.", {}),
]

steps = st.builds(output, st.sampled_from(DECISIONS), st.sampled_from(SAY_TOKENS), st.booleans())
costs = st.sampled_from([0.0, 0.03, 0.15, 0.25, 1.2])


@settings(max_examples=60, deadline=None)
@given(
    outputs=st.dictionaries(st.integers(0, TURNS - 1), steps, max_size=25),
    costs=st.dictionaries(st.integers(0, TURNS - 1), costs, max_size=6),
    failures=st.frozensets(st.integers(0, TURNS - 1), max_size=3),
)
def test_any_conversation_is_accounted_for(
    outputs: dict[int, StepOutput], costs: dict[int, float], failures: frozenset[int]
) -> None:
    engine = FakeEngine(outputs, costs, cost=0.02, failures=failures)
    rig = Rig(engine, count=TURNS, background=FakeBackground(ANSWER)).run()
    assert [turn.i for turn in rig.turns] == list(range(TURNS))
    assert len(rig.recorded) == TURNS
    assert rig.runner.stats.turns == TURNS
    assert all(abs(sum(turn.probs.values()) - 1) < 1e-6 for turn in rig.turns)
    assert all(turn.decision in DECISIONS for turn in rig.turns)

    written_ms = sum(count for _, count in rig.sink.writes) / 24
    assert abs(written_ms - sum(turn.generated_ms for turn in rig.turns)) < 1e-6
    audible_ms = sum((abs(heard) > AUDIBLE).sum() for _, heard, _ in rig.recorded) / 24
    assert audible_ms <= written_ms + 1e-6
    assert all(0 <= turn.heard_ms <= 200 for turn in rig.turns)
    assert len([e for e in rig.events if isinstance(e, Fault) and "failed" in e.what]) == len(
        failures & {turn.index for turn in engine.seen}
    )

    said = [e for e in rig.events if isinstance(e, Transcript) and e.speaker == "assistant"]
    begun = sum(len(turn.text_out.split()) for turn in rig.turns)
    assert sum(len(one.text.split()) for one in said) <= begun
    assert all(one.t0 <= one.t1 for one in said)
    assert all(a.t1 <= b.t0 + 1e-6 for a, b in pairwise(said) if a.text and b.text)
    assert all(0 <= event_time(event) <= rig.clock.now() + 1e-6 for event in rig.events)

"""The visible micro-turns as rows of text, for a table. Plain Python; belongs to the model's thread."""

from dataclasses import dataclass

from app.timeline.explain import margin
from app.timeline.model import TimelineModel
from app.timeline.time_scale import clock_label
from app.timeline.viewport import Viewport
from engine.config import CHUNK_S

COLUMNS = ("Time", "Decision", "Probability", "Runner-up", "Words", "Compute")


@dataclass(frozen=True)
class TurnRow:
    """``cells`` in the order of ``COLUMNS``; ``spoken``: the whole row in a line, for a screen reader."""

    turn: int
    cells: tuple[str, ...]
    spoken: str


def visible_turns(model: TimelineModel, viewport: Viewport) -> range:
    """Numbers of the micro-turns that are in view, at least in part."""
    first = max(int(viewport.start_s / CHUNK_S + 1e-6), model.turns.base)
    end = min(int(-(-(viewport.stop_s - 1e-6) // CHUNK_S)), model.turns.end)
    return range(first, max(end, first))


def turn_row(model: TimelineModel, i: int) -> TurnRow:
    """Micro-turn ``i``; one that never arrived says so."""
    time = clock_label(i * CHUNK_S, 0.2)
    turn = model.turns.turn(i)
    if turn is None:
        return TurnRow(i, (time, "not recorded", "", "", "", ""), f"{time}, not recorded")
    judged = any(turn.probs.values()) and not turn.skipped
    other, _ = margin(turn)
    chosen = f"{turn.probs.get(turn.decision, 0.0):.1%}" if judged else ""
    runner_up = f"{other} {turn.probs[other]:.1%}" if judged and other else ""
    decision = turn.decision + (" (skipped)" if turn.skipped else "")
    late = " – late" if turn.deadline_missed else ""
    compute = f"{turn.compute_ms:.1f} ms{late}"
    handed = "→ background" if turn.delegate else ""
    words = " ".join(part for part in (turn.text_out, handed) if part)
    spoken = f"{time}, {decision} {chosen}".rstrip()
    spoken += f", next {runner_up}" if runner_up else ""
    spoken += f", said “{turn.text_out}”" if turn.text_out else ""
    spoken += ", handed to the background" if turn.delegate else ""
    return TurnRow(i, (time, decision, chosen, runner_up, words, compute), f"{spoken}, compute {compute}")

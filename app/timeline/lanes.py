"""The lanes of the timeline: their names, and where each stands in the room there is. Pure arithmetic."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QPainter

from app.timeline import found_tracks, item_tracks, sound_tracks, tracks, watch_tracks
from app.timeline.view import View


@dataclass(frozen=True)
class Lane:
    """One painted strip. ``weight`` is its natural height in pixels."""

    name: str
    title: str
    """Its name in lists; ``label`` stands beside it, and may be empty."""
    label: str
    weight: int
    paint: Callable[[QPainter, float, float, View], None]
    space_before: int = 0
    text: bool = False
    """It holds a line of text, so its height follows the text's size and nothing else."""
    note: str = ""


LANES = (
    Lane("user", "Microphone", "You", 40, sound_tracks.paint_user, 8),
    Lane("user_words", "Words heard", "", 18, item_tracks.paint_user_words, 2, True),
    Lane("projection", "Projection", "Projection", 26, tracks.paint_projection, 6, False, "you, 0–2 s ahead"),
    Lane("decision", "Decision", "Decision", 32, tracks.paint_decisions, 8),
    Lane("probs", "Probability", "Probability", 24, tracks.paint_probs, 3),
    Lane("assistant", "Assistant", "Assistant", 48, sound_tracks.paint_assistant, 8, False, "made / heard"),
    Lane("assistant_words", "Words said", "", 18, item_tracks.paint_assistant_words, 2, True),
    Lane("camera", "Camera", "Camera", 42, sound_tracks.paint_camera, 7),
    Lane("watching", "Watching", "Watching", 18, watch_tracks.paint_watching, 7, True),
    Lane("jobs", "Background", "Background", 45, item_tracks.paint_jobs, 8),
    Lane("latency", "Latency", "Latency", 18, found_tracks.paint_latency, 7, True),
    Lane("compute", "Compute", "Compute", 30, tracks.paint_compute, 5, False, "200 ms limit"),
    Lane("faults", "Faults", "Faults", 17, found_tracks.paint_faults, 6, True),
    Lane("marks", "Marks", "Marks", 17, found_tracks.paint_marks, 3, True),
)
NAMES = frozenset(lane.name for lane in LANES)
_LEAST, _MOST = 0.4, 3.0
"""By how much lanes without text may be lower and higher than they naturally are."""
_TIGHT = 0.6
"""Below this, the space between lanes shrinks too."""

Placed = tuple[Lane, float, float]
"""A lane, its top and its height."""


def place(
    hidden: Collection[str],
    top: float,
    room: float,
    text_scale: float = 1.0,
    rows: Mapping[str, int] | None = None,
) -> list[Placed]:
    """Lanes that are not hidden, from ``top`` on, sharing ``room`` pixels.

    ``rows``: how many lines a lane of text needs, where that is not one.
    """
    lines = rows or {}
    shown = [lane for lane in LANES if lane.name not in hidden]
    spaces = sum(lane.space_before for lane in shown)
    fixed = sum(lane.weight * lines.get(lane.name, 1) for lane in shown if lane.text) * text_scale
    flexible = sum(lane.weight for lane in shown if not lane.text)
    share, tight, low = 1.0, 1.0, 1.0
    if flexible:
        share = (room - spaces - fixed) / flexible
        if share < _TIGHT:
            tight = 0.4
            share = (room - spaces * tight - fixed) / flexible
    if share < _LEAST:
        # What is left over goes off the text's lanes: better low than cut off.
        low = min(max((room - spaces * tight - flexible * _LEAST) / max(fixed, 1), 0.5), 1.0)
    share = min(max(share, _LEAST), _MOST)
    placed, y = [], top
    for lane in shown:
        y += round(lane.space_before * tight)
        weight = lane.weight * lines.get(lane.name, 1)
        height = float(round(weight * (text_scale * low if lane.text else share)))
        placed.append((lane, float(y), height))
        y += height
    return placed


def natural_height(hidden: Collection[str]) -> int:
    return sum(lane.weight + lane.space_before for lane in LANES if lane.name not in hidden)

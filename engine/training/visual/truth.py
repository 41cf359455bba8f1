"""What truly happens in a scene: events, repetitions, and the state at each micro-turn."""

from dataclasses import dataclass

PRESENT = "present"


@dataclass(frozen=True)
class VisualEvent:
    """Something that is to be seen from ``start`` to ``end`` (seconds).

    ``label``: present, enter, leave, turn away, come close, a gesture (``gestures.LABELS``), a thing's name
    ("red cup"), or exercise. ``detail``: the side or way, or an exercise's kind. ``visible``: the share of it
    that is inside the picture.
    """

    start: float
    end: float
    label: str
    detail: str = ""
    visible: float = 1.0


@dataclass(frozen=True)
class TurnTruth:
    """The truth at the end of a micro-turn.

    ``facing``: front, three-quarter, side or back, of the trunk; ``gaze``: camera, away, or nothing when no
    eyes are seen; ``exercise``: its kind while a set is going on; ``phase``: of the repetition, in [0, 1),
    0 in pauses; ``count``: whole repetitions since the set began; ``ended``: one ended in this micro-turn;
    ``gestures``, ``things``: those of which at least half is in the picture;
    ``camera``: good, frozen, black, covered or late (no new picture for 0.4 s).
    """

    present: bool
    facing: str
    distance: float
    gaze: str
    speaking: bool
    exercise: str
    phase: float
    count: int
    ended: bool
    gestures: tuple[str, ...]
    things: tuple[str, ...]
    camera: str

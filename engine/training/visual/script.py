"""What happens in a scene, as plain data: who does what when. Times are seconds from the scene's start."""

from dataclasses import dataclass

from engine.training.visual.props import Prop


@dataclass(frozen=True)
class Repetition:
    """One repetition of an exercise. ``counts``: whether it was a whole one.

    It ends when the body is back where it began; a count is due then. ``depth``: how far it goes,
    1 for all the way. ``left``: the side that moves, where sides alternate.
    """

    kind: str
    start: float
    end: float
    counts: bool
    depth: float = 1.0
    left: bool = True


@dataclass(frozen=True)
class ExerciseSet:
    """Repetitions of one kind, seen from one side.

    ``yaw``: how the person stands to the camera; ``style``: the way it is done (see ``exercises``);
    ``down``: share of a repetition spent on the way there, ``hold``: share spent at its far end.
    """

    kind: str
    start: float
    end: float
    yaw: float
    style: dict[str, float]
    down: float
    hold: float
    repetitions: tuple[Repetition, ...]


@dataclass(frozen=True)
class Gesture:
    """A gesture, or with a ``label`` out of ``gestures.FIDGETS`` something that means nothing."""

    label: str
    start: float
    end: float
    left: bool = False
    rate: float = 1.5
    size: float = 1.0
    fingers: int = 0


@dataclass(frozen=True)
class Move:
    """``kind``: enter, leave, turn away or come close. ``left``: to which side of the picture's right."""

    kind: str
    start: float
    end: float
    left: bool = False


@dataclass(frozen=True)
class Showing:
    """A thing in view. ``way``: held in a hand, or on the table from which a hand takes it away."""

    prop: Prop
    start: float
    end: float
    way: str = "hand"
    left: bool = False


@dataclass(frozen=True)
class Talk:
    """The user speaks. ``to_camera``: to whoever is behind the camera, else to somebody else."""

    start: float
    end: float
    to_camera: bool = True


@dataclass(frozen=True)
class LookAway:
    """The eyes, and with them part of the head, go elsewhere. Radians; ``yaw`` to the person's left."""

    start: float
    end: float
    yaw: float
    pitch: float


@dataclass(frozen=True)
class Script:
    """A scene. ``posture``: standing or sitting. ``framing``: face, bust, waist or full.

    ``presence``: somebody is there, or comes.
    ``chewing``: times in which the mouth moves though nobody speaks.
    """

    kind: str
    seconds: float
    posture: str = "standing"
    framing: str = "full"
    presence: bool = True
    yaw: float = 0.0
    sets: tuple[ExerciseSet, ...] = ()
    gestures: tuple[Gesture, ...] = ()
    moves: tuple[Move, ...] = ()
    showings: tuple[Showing, ...] = ()
    talks: tuple[Talk, ...] = ()
    looks: tuple[LookAway, ...] = ()
    chewing: tuple[tuple[float, float], ...] = ()

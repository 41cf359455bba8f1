"""What a body does at one moment, as a vector of numbers that can be blended.

Angles are radians; lengths are in leg lengths (pelvis, feet) or arm lengths (reaching hands). ``l_`` and
``r_``: the person's own left and right. Fields:

- ``up``, ``back``, ``shift``: the pelvis above the floor (1: standing), in front of the feet, to the left;
- ``pitch``, ``roll``, ``twist``: the trunk forward, to the left, turned to the left; ``slouch``: 0 to 1;
- ``head_yaw``, ``head_pitch``, ``head_roll``: against the trunk, to the left and downwards;
- arms: ``raise`` (0 down, pi up) in a ``plane`` (0 forward, pi/2 sideways), elbow ``bend`` in a direction
  given by ``spin``; ``reach``: how far (0 to 1) the hand is at (``rx`` outwards, ``ry`` up, ``rz`` forward)
  of the neck;
- hands: ``palm`` (0 inwards, 1 forward), curl of thumb and fingers ``f0`` to ``f4`` (0 straight, 1 fist);
- feet: ``fx`` outwards, ``fy`` up, ``fz`` forward, ``toe`` pitch downwards.
"""

import numpy as np
from numpy.typing import NDArray

Pose = NDArray[np.float64]

_BODY = (
    "up", "back", "shift", "pitch", "roll", "twist", "slouch", "head_yaw", "head_pitch", "head_roll",
)  # fmt: skip
_SIDE = (
    "raise", "plane", "bend", "spin", "reach", "rx", "ry", "rz",
    "palm", "f0", "f1", "f2", "f3", "f4", "fx", "fy", "fz", "toe",
)  # fmt: skip
FIELDS = (*_BODY, *(f"l_{name}" for name in _SIDE), *(f"r_{name}" for name in _SIDE))
INDEX = {name: k for k, name in enumerate(FIELDS)}
LEFT = len(_BODY)
RIGHT = LEFT + len(_SIDE)
SIDE = {name: k for k, name in enumerate(_SIDE)}
_SIGNED = [INDEX[name] for name in ("shift", "roll", "twist", "head_yaw", "head_roll")]
_ARM = slice(0, SIDE["fx"])

_REST = {
    "up": 1.0, "raise": 0.12, "plane": 1.2, "bend": 0.2, "rx": 0.3, "ry": -0.3, "rz": 0.6, "fx": 0.12,
    "f0": 0.3, "f1": 0.25, "f2": 0.3, "f3": 0.35, "f4": 0.4,
}  # fmt: skip


def pose(**fields: float) -> Pose:
    """The body at rest with ``fields`` changed; a name without ``l_`` or ``r_`` stands for both sides."""
    out = np.zeros(len(FIELDS))
    for name, value in {**_REST, **fields}.items():
        names = (name,) if name in INDEX else (f"l_{name}", f"r_{name}")
        for one in names:
            out[INDEX[one]] = value
    return out


def mirrored(p: Pose) -> Pose:
    """The same with left and right exchanged."""
    out = p.copy()
    out[LEFT:RIGHT], out[RIGHT:] = p[RIGHT:], p[LEFT:RIGHT]
    out[_SIGNED] *= -1
    return out


def arm_of(p: Pose, left: bool) -> NDArray[np.float64]:
    """The fields of one arm and hand, as a view."""
    first = LEFT if left else RIGHT
    return p[first : first + SIDE["fx"]]


def arm(**fields: float) -> NDArray[np.float64]:
    """The fields of one arm and hand."""
    return arm_of(pose(**fields), True)


def eased(share: float) -> float:
    """0 to 1 with a soft beginning and end; below 0 is 0, above 1 is 1."""
    x = min(max(share, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def ramped(t: float, start: float, end: float, attack: float, release: float) -> float:
    """0 to 1 over the ``attack`` after ``start``, and back over the ``release`` before ``end``."""
    if t <= start or t >= end:
        return 0.0
    return min(eased((t - start) / attack), eased((end - t) / release))

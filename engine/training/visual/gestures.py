"""What arms and head do for a while on top of everything else."""

import math

import numpy as np

from engine.training.visual.pose import INDEX, LEFT, RIGHT, SIDE, Pose, arm, ramped
from engine.training.visual.script import Gesture

_FIST = {f"f{k}": 1.0 for k in range(5)}
_OPEN = {"f0": 0.05, "f1": 0.02, "f2": 0.0, "f3": 0.02, "f4": 0.05}
_STRETCHED = {1: (1,), 2: (1, 2), 3: (1, 2, 3), 4: (1, 2, 3, 4), 5: (0, 1, 2, 3, 4)}
_EAR = {"reach": 1.0, "rx": 0.36, "ry": 0.1, "rz": 0.08, "palm": 0.1}
_MOUTH = {"reach": 1.0, "rx": 0.2, "ry": 0.0, "rz": 0.42, "palm": 0.0}

ARM_GESTURES = {
    "wave": arm(**{"raise": 0.7, "plane": 1.35, "bend": 2.15, "palm": 1.0, **_OPEN}),
    "raise hand": arm(**{"raise": 2.0, "plane": 1.2, "bend": 0.95, "palm": 1.0, **_OPEN}),
    "thumbs up": arm(**{"reach": 1.0, "rx": 0.5, "ry": -0.2, "rz": 0.5, **_FIST, "f0": 0.0}),
    "point": arm(**{"raise": 1.35, "plane": 1.3, "bend": 0.15, "palm": 0.3, **_FIST, "f1": 0.0}),
    "drink": arm(**{**_MOUTH, **{f"f{k}": 0.55 for k in range(5)}}),
    "phone": arm(**{**_EAR, **{f"f{k}": 0.5 for k in range(5)}}),
    "fingers": arm(**{"raise": 0.75, "plane": 1.0, "bend": 2.25, "palm": 1.0, **_FIST}),
}
HEAD_GESTURES = ("nod", "shake head")
POSTURES = ("slouch",)
GESTURES = (
    "wave", "raise hand", "nod", "shake head", "thumbs up", "fingers", "point", "drink", "phone", "slouch",
)  # fmt: skip
_FIDGET_ARMS = {
    "scratch": arm(reach=1.0, rx=0.16, ry=0.42, rz=0.14, f1=0.3),
    "touch chin": arm(reach=1.0, rx=0.1, ry=0.06, rz=0.34),
    "pull shirt": arm(reach=1.0, rx=0.12, ry=-0.4, rz=0.3),
    "wipe face": arm(**{"reach": 1.0, "rx": 0.1, "ry": 0.26, "rz": 0.34, "palm": -0.7, **_OPEN}),
}
FIDGETS = (*_FIDGET_ARMS, "bounce", "shift weight", "look around", "stretch", "bend")
LABELS = tuple(g for g in GESTURES if g != "fingers") + tuple(f"{n} fingers" for n in range(1, 6))
SHOW = arm(
    **{"reach": 1.0, "rx": 0.24, "ry": -0.02, "rz": 0.6, "palm": 0.9, **{f"f{k}": 0.5 for k in range(5)}}
)
TABLE = arm(
    **{"reach": 1.0, "rx": 0.3, "ry": -0.72, "rz": 0.85, "palm": 0.2, **{f"f{k}": 0.4 for k in range(5)}}
)
ASIDE = arm(reach=1.0, rx=0.95, ry=-1.2, rz=0.3)


def label_of(gesture: Gesture) -> str:
    """What the truth calls it; empty for fidgets."""
    if gesture.label in FIDGETS:
        return ""
    return f"{gesture.fingers} fingers" if gesture.label == "fingers" else gesture.label


def weight(gesture: Gesture, t: float) -> float:
    """How far a gesture is made at ``t``, 0 to 1."""
    slow = 1.2 if gesture.label == "slouch" else 0.3 if gesture.label in HEAD_GESTURES else 0.55
    ramp = min(slow, 0.4 * (gesture.end - gesture.start))
    return ramped(t, gesture.start, gesture.end, ramp, ramp)


def seen_from(gesture: Gesture) -> tuple[float, float]:
    """From when until when a gesture is more than half made: the interval of the truth."""
    if gesture.label in HEAD_GESTURES:
        return gesture.start, gesture.end
    slow = 1.2 if gesture.label == "slouch" else 0.55
    ramp = 0.5 * min(slow, 0.4 * (gesture.end - gesture.start))
    return gesture.start + ramp, gesture.end - ramp


def set_arm(p: Pose, left: bool, target: np.ndarray, share: float) -> None:
    """Move one arm of ``p``, in place, ``share`` of the way to ``target`` (the fields of an arm)."""
    first = LEFT if left else RIGHT
    own = p[first : first + SIDE["fx"]]
    own += (target - own) * share


def apply(p: Pose, gesture: Gesture, t: float) -> None:
    """Lay a gesture over the pose ``p``, in place."""
    w = weight(gesture, t)
    if w <= 0.0:
        return
    beat = math.sin(2 * math.pi * gesture.rate * (t - gesture.start))
    label = gesture.label
    if label in ARM_GESTURES:
        target = ARM_GESTURES[label].copy()
        if label == "wave":
            target[SIDE["bend"]] += 0.42 * gesture.size * beat
        elif label == "fingers":
            for k in _STRETCHED[gesture.fingers]:
                target[SIDE[f"f{k}"]] = 0.0
        elif label == "drink":
            p[INDEX["head_pitch"]] -= 0.28 * w * gesture.size
        set_arm(p, gesture.left, target, w)
    elif label == "nod":
        p[INDEX["head_pitch"]] += w * gesture.size * (0.3 * beat + 0.08)
    elif label == "shake head":
        p[INDEX["head_yaw"]] += w * gesture.size * 0.42 * beat
    elif label == "slouch":
        p[INDEX["slouch"]] += w * gesture.size
        p[INDEX["pitch"]] += 0.16 * w * gesture.size
    else:
        _fidget(p, gesture, w, beat)


def _fidget(p: Pose, gesture: Gesture, w: float, beat: float) -> None:
    label = gesture.label
    if label in _FIDGET_ARMS:
        target = _FIDGET_ARMS[label].copy()
        target[SIDE["ry"]] += 0.06 * beat
        set_arm(p, gesture.left, target, w)
    elif label == "bounce":
        p[INDEX["up"]] -= 0.03 * gesture.size * w * (0.5 + 0.5 * beat)
    elif label == "shift weight":
        side = 1.0 if gesture.left else -1.0
        p[INDEX["shift"]] += 0.09 * side * w
        p[INDEX["roll"]] += 0.06 * side * w
    elif label == "look around":
        p[INDEX["head_yaw"]] += 0.7 * w * beat
    elif label == "stretch":
        for left in (True, False):
            up = arm(**{"raise": 2.5, "plane": 1.4, "bend": 0.7})
            set_arm(p, left, up, w)
    else:
        p[INDEX["pitch"]] += 0.5 * w

"""How exercises look: the two ends of each movement, and the way in between."""

import math
from dataclasses import dataclass

import numpy as np

from engine.training.visual.pose import INDEX, Pose, mirrored, pose
from engine.training.visual.script import ExerciseSet, Repetition
from engine.training.visual.splits import Rng, Split

EXERCISES = (
    "squat", "push-up", "jumping jack", "lunge", "arm raise", "sit-up", "biceps curl", "high knees",
)  # fmt: skip
ON_THE_FLOOR = ("push-up", "sit-up")
RATES = (0.25, 1.2)
"""Repetitions a second."""

_ARMS = {
    "forward": {"raise": 1.45, "plane": 0.1, "bend": 0.1},
    "hips": {"reach": 1.0, "rx": 0.36, "ry": -0.86, "rz": 0.08},
    "chest": {"reach": 1.0, "rx": 0.06, "ry": -0.22, "rz": 0.36},
    "head": {"reach": 1.0, "rx": 0.2, "ry": 0.32, "rz": -0.05},
    "hanging": {"raise": 0.15},
}
ARM_STYLES = tuple(_ARMS)


@dataclass(frozen=True)
class Movement:
    """``start`` to ``far`` and back; ``lift`` is added in the middle of the way."""

    start: Pose
    far: Pose
    lift: Pose
    alternates: bool = False

    def at(self, depth: float, left: bool) -> Pose:
        """The body ``depth`` (0 to 1) of the way."""
        p = self.start + (self.far - self.start) * depth + self.lift * (4.0 * depth * (1.0 - depth))
        return p if left or not self.alternates else mirrored(p)


def draw_style(rng: Rng, split: Split, kind: str) -> dict[str, float]:
    """The way in which somebody does an exercise."""
    arms = split.kind(rng, (0.0, 1.0, 2.0), (3.0, 4.0))
    return {
        "arms": arms,
        "wide": split.number(rng, f"{kind} width", 0.8, 1.5),
        "deep": split.number(rng, f"{kind} depth", 0.75, 1.1),
        "lean": split.number(rng, f"{kind} lean", 0.7, 1.25),
        "alternate": float(rng.random() < 0.5),
    }


def movement(kind: str, style: dict[str, float]) -> Movement:
    """The movement of an exercise done in a certain ``style``."""
    wide, deep, lean = style["wide"], style["deep"], style["lean"]
    arms = _ARMS[ARM_STYLES[int(style["arms"])]]
    nothing = np.zeros(len(INDEX))
    if kind == "squat":
        start = pose(fx=0.2 * wide, **(arms if style["arms"] else {}))
        far = pose(
            fx=0.2 * wide, up=1 - 0.48 * deep, back=-0.24 * deep, pitch=0.75 * lean, head_pitch=-0.4, **arms
        )
        return Movement(start, far, nothing)
    if kind == "lunge":
        start = pose(fx=0.13, **arms)
        far = pose(
            fx=0.13,
            l_fz=0.78,
            r_fz=-0.12,
            r_fy=0.08,
            r_toe=0.9,
            up=1 - 0.38 * deep,
            back=0.36,
            pitch=0.12 * lean,
            **arms,
        )
        lift = nothing.copy()
        lift[INDEX["l_fy"]] = 0.1
        return Movement(start, far, lift, alternates=True)
    if kind == "jumping jack":
        start = pose(fx=0.1, **{"raise": 0.15, "plane": math.pi / 2})
        far = pose(fx=0.42 * wide, **{"raise": 2.85 * min(deep, 1.0), "plane": math.pi / 2, "bend": 0.25})
        lift = nothing.copy()
        lift[INDEX["up"]] = lift[INDEX["l_fy"]] = lift[INDEX["r_fy"]] = 0.07
        return Movement(start, far, lift)
    if kind == "arm raise":
        plane = (math.pi / 2, 0.05, 0.8)[int(style["arms"]) % 3]
        top = 2.9 if style["alternate"] else 1.57
        start = pose(**{"raise": 0.12, "plane": plane, "bend": 0.1})
        return Movement(start, pose(**{"raise": top * min(deep, 1.0), "plane": plane, "bend": 0.1}), nothing)
    if kind == "biceps curl":
        grip = {f"f{k}": 1.0 for k in range(5)}
        start = pose(palm=0.8, **grip, **{"raise": 0.12, "plane": 0.6, "bend": 0.15})
        far = pose(palm=0.8, **grip, **{"raise": 0.2, "plane": 0.6, "bend": 2.35 * min(deep, 1.05)})
        if not style["alternate"]:
            return Movement(start, far, nothing)
        one = far.copy()
        first = INDEX["r_raise"]
        one[first : INDEX["r_toe"] + 1] = start[first : INDEX["r_toe"] + 1]
        return Movement(start, one, nothing, alternates=True)
    if kind == "high knees":
        swing = {"raise": 0.35, "plane": 0.1, "bend": 1.4}
        start = pose(fx=0.12, **swing)
        far = pose(fx=0.12, l_fy=0.55 * min(deep, 1.0), l_fz=0.3, l_toe=0.5, pitch=-0.05, **swing)
        far[INDEX["r_raise"]], far[INDEX["l_raise"]] = 1.0, -0.4
        return Movement(start, far, nothing, alternates=True)
    if kind == "push-up":
        return _push_up(wide, deep, nothing)
    arms = _ARMS["head" if style["arms"] != 1.0 else "chest"]
    lying = {"up": 0.07, "fx": 0.12, "fz": 0.82, "back": -0.1}
    start = pose(**lying, **{**arms, "pitch": -1.42, "head_pitch": 0.15})
    far = pose(**lying, **{**arms, "pitch": 0.35 * lean, "head_pitch": 0.3})
    return Movement(start, far, nothing)


def _push_up(wide: float, deep: float, nothing: Pose) -> Movement:
    """A plank that turns about the toes; the hands stay on the floor under the shoulders."""

    def plank(reach: float) -> Pose:
        angle = math.asin(reach / 2.39)  # shoulders as high above the floor as the hands are below them
        # Feet a body's length behind; the trunk lies on the line from the ankles to the shoulders.
        flat = {f"f{k}": 0.1 for k in range(5)}
        return pose(
            up=math.sin(angle), back=0.05, fx=0.08, fz=0.05 - math.cos(angle), fy=0.06, toe=1.2,
            pitch=math.pi / 2 - angle, head_pitch=-0.35, reach=1.0, rx=0.34 * wide,
            ry=-math.sin(angle) * reach, rz=math.cos(angle) * reach, **flat,
        )  # fmt: skip

    return Movement(plank(0.93), plank(0.93 - 0.6 * min(deep, 1.05)), nothing)


def depth_at(phase: float, down: float, hold: float) -> float:
    """How far the movement is at a ``phase``, 0 to 1: there within ``down``, held for ``hold``, and back."""
    if phase <= 0.0 or phase >= 1.0:
        return 0.0
    if phase < down:
        return 0.5 - 0.5 * math.cos(math.pi * phase / down)
    if phase < down + hold:
        return 1.0
    return 0.5 + 0.5 * math.cos(math.pi * (phase - down - hold) / (1.0 - down - hold))


def current(one: ExerciseSet, t: float) -> Repetition | None:
    """The repetition that goes on at ``t``."""
    for repetition in one.repetitions:
        if repetition.start <= t < repetition.end:
            return repetition
    return None


def draw_set(rng: Rng, split: Split, kind: str, start: float, end: float) -> ExerciseSet:
    """A set of repetitions that fits between ``start`` and ``end``.

    The tempo drifts and tires, some rests are long, some repetitions are broken off half-way.
    """
    rate = float(rng.uniform(*RATES))
    drift = float(rng.uniform(-0.012, 0.03))
    tired = float(rng.uniform(0.0, 0.012))
    unsteady = float(rng.uniform(0.0, 0.09))
    rest = float(rng.choice([0.0, 0.1, 0.5], p=[0.4, 0.4, 0.2]))
    half = float(rng.choice([0.0, 0.08, 0.2], p=[0.4, 0.4, 0.2]))
    repetitions: list[Repetition] = []
    t, left = start, bool(rng.random() < 0.5)
    while True:
        slow = (1.0 + drift) ** len(repetitions)
        period = min(max(slow / rate, 1.0 / RATES[1]), 1.0 / RATES[0]) * float(rng.normal(1.0, unsteady))
        period = max(period, 0.75)
        whole = not (repetitions and rng.random() < half)
        depth = max(0.72, float(rng.uniform(0.88, 1.0)) - tired * len(repetitions))
        if not whole:
            depth, period = float(rng.uniform(0.2, 0.42)), max(0.6, period * float(rng.uniform(0.5, 0.9)))
        if t + period > end:
            break
        repetitions.append(Repetition(kind, t, t + period, whole, depth, left))
        left = not left
        t += period + float(rng.uniform(0.0, 0.08))
        chance = rng.random()
        if chance < 0.12 * rest:
            t += float(rng.uniform(2.0, 6.0))
        elif chance < rest:
            t += float(rng.uniform(0.2, 1.5))
    turned = 1.0 if kind in ON_THE_FLOOR else 0.0 if kind == "jumping jack" else 0.3
    sideways = float(rng.uniform(1.2, 1.85)) if rng.random() < turned else float(rng.uniform(0.0, 0.9))
    yaw = float(rng.choice([-1, 1])) * sideways
    stop = repetitions[-1].end if repetitions else start
    return ExerciseSet(
        kind, start, stop, yaw, draw_style(rng, split, kind),
        float(rng.uniform(0.32, 0.52)), float(rng.uniform(0.02, 0.18)), tuple(repetitions),
    )  # fmt: skip

"""From a script to what the body does: a function of the time alone, whatever the frame rate."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.training.visual import exercises, gestures
from engine.training.visual.exercises import Movement
from engine.training.visual.face import Expression
from engine.training.visual.figure import Held, Person
from engine.training.visual.lens import Lens
from engine.training.visual.look import Body
from engine.training.visual.pose import INDEX, Pose, eased, pose, ramped
from engine.training.visual.script import ExerciseSet, Move, Script, Showing
from engine.training.visual.skeleton import Joints, joints
from engine.training.visual.splits import Rng, hsv

Voice = Callable[[float], float]
"""How loud the user speaks at a time, 0 to 1."""

_GET_READY = {"push-up": 1.6, "sit-up": 1.6}
_SIT = pose(up=0.5, back=-0.35, fx=0.16, fz=0.1, **{"raise": 0.35, "plane": 0.2, "bend": 1.0, "palm": -0.3})
_CAMERA_CONE = math.radians(15)
_STRIDE_M = 1.3


@dataclass(frozen=True)
class _Key:
    """Where the body is: metres, radians, and whether it sits (1) there."""

    t: float
    x: float
    z: float
    yaw: float
    seated: float


class Actor:
    """The person a scene is about. Reads only: ``person`` may be asked for any time in any order."""

    def __init__(self, rng: Rng, body: Body, script: Script, lens: Lens, voice: Voice | None = None) -> None:
        self.body, self.script, self.lens, self.voice = body, script, lens, voice
        self._moves: list[tuple[ExerciseSet, Movement]] = [
            (one, exercises.movement(one.kind, one.style)) for one in script.sets
        ]
        self._rest = _SIT if script.posture == "sitting" else pose(fx=float(rng.uniform(0.1, 0.2)))
        self._sway = rng.uniform(0, 2 * math.pi, 6), rng.uniform(0.12, 0.5, 6)
        self._restless = float(rng.uniform(0.3, 1.2))
        self._syllables = float(rng.uniform(3.6, 5.6))
        self._blink = float(rng.uniform(2.2, 6.0))
        self._smile = float(rng.choice([0.0, 0.0, 1.0]))
        self._steel = hsv(float(rng.random()), float(rng.uniform(0, 0.8)), float(rng.uniform(0.1, 0.8)))
        self._keys = self._path()

    # -- where -----------------------------------------------------------------------------

    def _path(self) -> list[_Key]:
        script, seated = self.script, float(self.script.posture == "sitting")
        keys: list[_Key] = []
        far = self._offstage()
        first = next((m for m in script.moves if m.kind in ("enter", "leave")), None)
        if first is not None and first.kind == "enter":
            keys.append(_Key(-1.0, far if first.left else -far, -0.15, 0.0, 0.0))
        else:
            keys.append(_Key(-1.0, 0.0, 0.0, script.yaw, seated))
        for move in sorted(script.moves, key=lambda m: m.start):
            keys += self._walked(move, far, seated)
        return keys

    def _walked(self, move: Move, far: float, seated: float) -> list[_Key]:
        a, b, side, yaw = move.start, move.end, 1.0 if move.left else -1.0, self.script.yaw
        if move.kind == "enter":
            heading = -side * 1.35
            return [
                _Key(a, side * far, -0.15, heading, 0.0),
                _Key(b - 0.25 * (b - a), 0.0, -0.05, 0.6 * heading, 0.0),
                _Key(b, 0.0, 0.0, yaw, seated),
            ]
        if move.kind == "leave":
            heading = side * 1.35
            return [
                _Key(a, 0.0, 0.0, yaw, seated),
                _Key(a + 0.3 * (b - a), 0.05 * side, -0.1, heading, 0.0),
                _Key(b, side * far, -0.15, heading, 0.0),
            ]
        turn = min(0.9, 0.3 * (b - a))
        if move.kind == "turn away":
            there = _Key(a + turn, 0.0, 0.0, yaw + side * 2.4, seated)
        else:
            near = 0.32 * float(self.lens.place[2])
            there = _Key(a + turn, 0.0, near, 0.3 * yaw, seated)
        here = _Key(a, 0.0, 0.0, yaw, seated)
        back = turn
        return [
            here,
            there,
            _Key(b - back, there.x, there.z, there.yaw, there.seated),
            _Key(b, 0.0, 0.0, yaw, seated),
        ]

    def _offstage(self) -> float:
        distance = float(self.lens.place[2]) + 0.2
        return abs(float(self.lens.place[0])) + 0.55 * distance * self.lens.width / self.lens.focal + 0.75

    def place(self, t: float) -> tuple[float, float, float, float, float]:
        """x, z, yaw, how far the person sits, and how fast they walk, metres a second."""
        keys = self._keys
        k = sum(1 for key in keys if key.t <= t) - 1
        a = keys[max(k, 0)]
        if k + 1 >= len(keys) or a.t == keys[k + 1].t:
            return a.x, a.z, a.yaw, a.seated, 0.0
        b = keys[k + 1]
        share = (t - a.t) / (b.t - a.t)
        s = eased(share)
        far = math.hypot(b.x - a.x, b.z - a.z)
        speed = far / (b.t - a.t) * 6 * share * (1 - share) if 0 <= share <= 1 else 0.0
        x, z, yaw, seated = (
            p + (q - p) * s for p, q in ((a.x, b.x), (a.z, b.z), (a.yaw, b.yaw), (a.seated, b.seated))
        )
        return x, z, yaw, seated, speed

    # -- what ------------------------------------------------------------------------------

    def pose_at(self, t: float) -> tuple[Pose, float]:
        """The pose and the yaw at ``t``."""
        x, z, yaw, seated, speed = self.place(t)
        p = self._rest.copy()
        if self.script.posture == "sitting" and seated < 1.0:
            p = pose() + (p - pose()) * seated
        self._breathe(p, t)
        if speed > 0.02:
            walk(p, math.copysign(math.hypot(x, z), x), min(1.0, speed / 0.6))
        for one, movement in self._moves:
            share = self._readiness(one, t)
            if share <= 0.0:
                continue
            repetition = exercises.current(one, t)
            depth, left = 0.0, True
            if repetition is not None:
                phase = (t - repetition.start) / (repetition.end - repetition.start)
                depth = repetition.depth * exercises.depth_at(phase, one.down, one.hold)
                left = repetition.left
            p += (movement.at(depth, left) - p) * (share * 0.97)
            yaw += (one.yaw - yaw) * share
        for gesture in self.script.gestures:
            gestures.apply(p, gesture, t)
        for showing in self.script.showings:
            self._show(p, showing, t)
        return p, yaw

    def _readiness(self, one: ExerciseSet, t: float) -> float:
        """How far the starting position of a set is taken up."""
        ready = _GET_READY.get(one.kind, 0.9)
        return min(
            eased((t - one.start + ready) / (ready - 0.1)), eased((one.end + ready - t) / (ready - 0.1))
        )

    def _breathe(self, p: Pose, t: float) -> None:
        phases, rates = self._sway
        for k, (name, size) in enumerate(
            (
                ("roll", 0.012), ("pitch", 0.012), ("twist", 0.03), ("head_yaw", 0.05), ("head_pitch", 0.04),
                ("shift", 0.012),
            )
        ):  # fmt: skip
            p[INDEX[name]] += (
                self._restless * size * math.sin(2 * math.pi * float(rates[k]) * t + float(phases[k]))
            )

    def _show(self, p: Pose, showing: Showing, t: float) -> None:
        if showing.way == "hand":
            w = ramped(t, showing.start, showing.end, 0.7, 0.7)
            if w > 0.0:
                gestures.set_arm(p, showing.left, gestures.SHOW, w)
                p[INDEX["l_ry" if showing.left else "r_ry"]] += 0.03 * math.sin(3.1 * t) * w
            return
        reach = ramped(t, showing.end - 0.9, showing.end + 1.2, 0.9, 0.6)
        if reach > 0.0:
            away = eased((t - showing.end) / 0.7)
            gestures.set_arm(
                p, showing.left, gestures.TABLE + (gestures.ASIDE - gestures.TABLE) * away, reach
            )

    # -- face ------------------------------------------------------------------------------

    def mouth(self, t: float) -> float:
        """How far the mouth is open, 0 to 1."""
        for start, end in self.script.chewing:
            if start <= t < end:
                return 0.3 * max(0.0, math.sin(2 * math.pi * 1.4 * t))
        if self.voice is not None:
            return min(
                1.0, max(0.0, 0.5 * self.voice(t) + 0.25 * (self.voice(t - 0.03) + self.voice(t + 0.03)))
            )
        for talk in self.script.talks:
            if talk.start <= t < talk.end:
                s = 2 * math.pi * self._syllables
                wave = 0.5 + 0.5 * math.sin(s * t + 1.7 * math.sin(2.3 * t))
                loud = 0.6 + 0.4 * math.sin(1.9 * t + 0.8 * math.sin(0.7 * t))
                return wave * max(0.15, loud) * ramped(t, talk.start, talk.end, 0.08, 0.08)
        return 0.0

    def _attention(self, t: float) -> tuple[float, float, float]:
        """How much the person looks elsewhere, and where: yaw against the camera's direction, pitch."""
        best = (0.0, 0.0, 0.0)
        for look in self.script.looks:
            w = ramped(t, look.start, look.end, 0.3, 0.3)
            if w > best[0]:
                best = (w, look.yaw, look.pitch)
        return best

    def person(self, t: float) -> Person:
        """Everything that is seen of the person at ``t``."""
        p, yaw = self.pose_at(t)
        x, z, *_ = self.place(t)
        away, away_yaw, away_pitch = self._attention(t)
        to_camera = math.atan2(float(self.lens.place[0]) - x, max(float(self.lens.place[2]) - z, 0.05))
        working = max((self._readiness(one, t) for one, _ in self._moves), default=0.0)
        needed = math.remainder(to_camera - yaw - float(p[INDEX["twist"]]), 2 * math.pi)
        follows = abs(needed) < 1.7
        wanted = needed + away * away_yaw if follows else away * away_yaw
        p[INDEX["head_yaw"]] += (1.0 - 0.9 * working) * 0.82 * max(-1.15, min(1.15, wanted))
        p[INDEX["head_pitch"]] += (1.0 - working) * 0.7 * away * away_pitch
        j = joints(p, self.body, (x, z), yaw)
        view = j.skull.T @ (self.lens.place - j.head)
        eye_yaw = math.atan2(float(view[0]), float(view[2]))
        eye_pitch = -math.atan2(float(view[1]), math.hypot(float(view[0]), float(view[2])))
        if abs(eye_yaw) > 0.75 or away > 0.3 or not follows:
            eye_yaw, eye_pitch = 0.35 * away_yaw * away, 0.3 * away_pitch * away
        eye_yaw += 0.04 * math.sin(1.7 * t + 2.0 * math.sin(0.9 * t))
        opening = self.mouth(t)
        since = (t + 0.7 * math.sin(0.5 * t)) % self._blink
        lids = max(0.0, 1.0 - abs(since - 0.09) / 0.09)
        smile = self._smile * (0.5 + 0.5 * math.sin(0.4 * t)) if opening < 0.05 else 0.0
        expression = Expression(
            opening, 0.5 + 0.5 * math.sin(5.3 * t), smile, lids, max(-0.6, min(0.6, eye_yaw)),
            max(-0.45, min(0.45, eye_pitch)), 0.5 * opening,
        )  # fmt: skip
        return Person(j, p, expression, self._held(t))

    def _held(self, t: float) -> tuple[Held, ...]:
        out = []
        for showing in self.script.showings:
            if showing.way == "hand":
                if ramped(t, showing.start, showing.end, 0.7, 0.7) > 0.02:
                    out.append(Held(showing.left, showing.prop.shape, showing.prop.colour))
            elif showing.end <= t < showing.end + 0.75:
                out.append(Held(showing.left, showing.prop.shape, showing.prop.colour))
        for gesture in self.script.gestures:
            if gesture.label in ("drink", "phone") and gestures.weight(gesture, t) > 0.02:
                shape = "cup" if gesture.label == "drink" else "phone"
                out.append(Held(gesture.left, shape, self._steel))
        for one, _ in self._moves:
            if one.kind == "biceps curl" and self._readiness(one, t) > 0.3:
                out += [Held(True, "dumbbell", self._steel), Held(False, "dumbbell", self._steel)]
        return tuple(out)

    # -- truth -----------------------------------------------------------------------------

    def seen(self, t: float) -> bool:
        """Whether the head or the trunk is in the picture."""
        j = self.joints(t)
        return any(self.lens.inside(point) for point in (j.head, j.neck, j.chest, j.pelvis))

    def joints(self, t: float) -> Joints:
        """The joints without the head's following of the camera."""
        p, yaw = self.pose_at(t)
        x, z, *_ = self.place(t)
        return joints(p, self.body, (x, z), yaw)

    def gaze(self, person: Person) -> str:
        """``camera`` (or near it, as the screen is), ``away``, or nothing when the eyes cannot be seen."""
        j = person.joints
        view = self.lens.place - j.head
        view = view / float(np.linalg.norm(view))
        if not self.lens.inside(j.head) or float(j.skull[:, 2] @ view) < 0.2:
            return ""
        yaw, pitch = person.expression.gaze_yaw, person.expression.gaze_pitch
        local = np.array([math.sin(yaw) * math.cos(pitch), -math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
        return "camera" if float(j.skull @ local @ view) > math.cos(_CAMERA_CONE) else "away"


def walk(p: Pose, way: float, share: float) -> None:
    """Legs and arms ``way`` metres into a walk, in place."""
    beat = math.sin(2 * math.pi * way / _STRIDE_M)
    lift = math.cos(2 * math.pi * way / _STRIDE_M)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        p[INDEX[f"{side}_fz"]] += 0.3 * sign * beat * share
        p[INDEX[f"{side}_fy"]] += 0.1 * max(0.0, sign * lift) * share
        p[INDEX[f"{side}_raise"]] += (0.45 * -sign * beat) * share
        p[INDEX[f"{side}_plane"]] *= 1.0 - 0.9 * share
    p[INDEX["up"]] -= 0.03 * abs(beat) * share

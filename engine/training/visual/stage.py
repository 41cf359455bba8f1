"""A scene that can be looked at: give it a script, ask for the picture at any time, and for the truth."""

import math

import cv2
import numpy as np

from engine.config import CHUNK_S
from engine.encode import FRAME_SIZE
from engine.training.visual import exercises, gestures, props
from engine.training.visual.actor import Actor, Voice
from engine.training.visual.distractors import Distractors
from engine.training.visual.figure import Figure, Light, Person
from engine.training.visual.lens import Lens, aimed
from engine.training.visual.look import Body, draw_body, draw_look
from engine.training.visual.room import MARGIN, draw_room
from engine.training.visual.script import Script, Showing
from engine.training.visual.sensor import LATE_S, Sensor
from engine.training.visual.skeleton import Vector
from engine.training.visual.splits import TRAIN, Rng, Split
from engine.training.visual.truth import PRESENT, TurnTruth, VisualEvent
from engine.types import Image

_SPANS = {"face": 0.44, "bust": 0.8, "waist": 1.12, "full": 2.2}
_SHAPES = ((4, 3), (16, 9), (1, 1), (3, 4), (9, 16))
_OVERHEAD = ("jumping jack", "arm raise")  # hands go up: more of the room is needed
_MOSTLY = 0.5  # share of an event in the picture from which micro-turns name it
_BLUR_STEPS = 3


class Stage:
    """One scene. ``render(t)`` is the picture a program gets from the camera at ``t``, (120, 160, 3) RGB.

    The same arguments give the same scene. ``voice``: how loud the user speaks at a time (0 to 1), for the
    mouth; without it the mouth moves in the script's times of talk. ``faults``: False leaves out frozen,
    black and covered pictures. Not to be shared by threads.
    """

    def __init__(
        self,
        rng: Rng,
        script: Script,
        split: Split = TRAIN,
        voice: Voice | None = None,
        faults: bool = True,
    ) -> None:
        self.script, self.split, self.voice = script, split, voice
        body, look = draw_body(rng, split), draw_look(rng, split)
        shape = _SHAPES[int(rng.choice(len(_SHAPES), p=[0.7, 0.17, 0.05, 0.05, 0.03]))]
        if script.framing == "full" and script.sets:
            shape = _SHAPES[int(rng.choice(2, p=[0.8, 0.2]))]
        self._width, self._height, self._left, self._top = _inset(rng, shape)
        self.lens = _camera(rng, split, script, body, (2 * self._width, 2 * self._height))
        seat = body.ankle + 0.42 * body.leg if script.posture == "sitting" else 0.0
        self.room = draw_room(rng, split, self.lens, seat)
        self.sensor = Sensor(
            rng, split, script.seconds, (self._width, self._height), script.framing == "full"
        )
        if not faults:
            self.sensor.faults = ()
        light = Light(
            float(rng.uniform(-1, 1)), float(rng.uniform(-1, 0.2)), split.number(rng, "contrast", 0.08, 0.45)
        )
        self.actor = Actor(rng, body, script, self.lens, voice)
        self._figure = Figure(body, look, light)
        many = float(rng.choice([0.0, 0.15, 0.5]))
        self.distractors = Distractors(rng, split, self.room, self.lens, script.seconds, many)
        self._mirrored = bool(rng.random() < 0.5)
        self._bars = (0, 0, 0) if rng.random() < 0.85 else tuple(int(v) for v in rng.integers(0, 70, 3))
        self._table = self._draw_table(rng)
        self.repetitions = tuple(r for one in script.sets for r in one.repetitions)
        self.events = self._events()

    # -- pictures --------------------------------------------------------------------------

    def render(self, t: float) -> Image:
        """The newest picture at ``t``."""
        at, number = self.sensor.moment(t)
        fault = self.sensor.fault(t)
        if fault in ("black", "covered"):
            small = np.zeros((self._height, self._width, 3), np.uint8)
        else:
            small = self._exposed(at)
        out = self.sensor.develop(small, at if fault == "frozen" else max(at, t) if fault else at, number)
        if self._mirrored:
            out = np.ascontiguousarray(out[:, ::-1])
        if out.shape[:2] == (FRAME_SIZE[1], FRAME_SIZE[0]):
            return out
        canvas = np.empty((FRAME_SIZE[1], FRAME_SIZE[0], 3), np.uint8)
        canvas[:] = self._bars
        canvas[self._top : self._top + self._height, self._left : self._left + self._width] = out
        return canvas

    def _exposed(self, t: float) -> Image:
        """Light gathered while the shutter is open, at the picture's own size."""
        size = (self._width, self._height)
        if not self.sensor.shutter:
            return np.asarray(cv2.resize(self._paint(t), size, interpolation=cv2.INTER_AREA), np.uint8)
        total = np.zeros((self._height, self._width, 3), np.float32)
        for k in range(_BLUR_STEPS):
            part = cv2.resize(
                self._paint(t - self.sensor.shutter * k / (_BLUR_STEPS - 1)),
                size,
                interpolation=cv2.INTER_AREA,
            )
            cv2.accumulate(part, total)
        return (total / _BLUR_STEPS).astype(np.uint8)

    def _paint(self, t: float) -> Image:
        """The scene itself at twice the size, before the camera."""
        lens = self.lens
        dx, dy = self.sensor.offset(t)
        picture = self.room.picture
        if dx or dy:
            x, y = (MARGIN + round(min(max(v, -MARGIN), MARGIN)) for v in (dx, dy))
        else:
            x = y = MARGIN
        image = np.ascontiguousarray(picture[y : y + lens.height, x : x + lens.width])
        self.distractors.behind(image, t)
        person = self.actor.person(t) if self.script.presence else None
        if person is not None:
            self._figure.draw(image, lens, person)
        if person is not None and self._table is not None:
            self._draw_things(image, t, person)
        self.distractors.before(image, t)
        return image

    def _draw_table(self, rng: Rng) -> tuple[float, tuple[int, int, int]] | None:
        needed = any(s.way == "table" for s in self.script.showings)
        if not needed and (self.script.posture != "sitting" or rng.random() < 0.5):
            return None
        return float(self._spot(True)[1]) - 0.07, self.split.colour(rng, "table", grey=0.3)

    def _spot(self, left: bool) -> Vector:
        """Where on the table a thing stands: where the hand that takes it away meets it."""
        j = self.actor.joints(0.0)
        body = self.actor.body
        arm = body.upper_arm + body.forearm
        side = 1.0 if left else -1.0
        spot: Vector = j.neck + j.trunk @ (np.array([side * 0.3, -0.72, 0.85]) * arm) + np.array([0, 0, 0.06])
        return spot

    def _draw_things(self, image: Image, t: float, person: Person) -> None:
        assert self._table is not None
        high, colour = self._table
        near = float(self.lens.place[2]) - 0.12
        edge = np.array([(-1.5, high, 0.25), (1.5, high, 0.25), (1.5, high, near), (-1.5, high, near)])
        if float(self.lens.place[1]) > high:
            pixels, _ = self.lens.project(edge)
            pixels[2:, 1] = np.maximum(pixels[2:, 1], self.lens.height + 4)
            cv2.fillConvexPoly(image, pixels.astype(np.int32), colour)
        for showing in self.script.showings:
            if showing.way == "table" and showing.start <= t < showing.end:
                shape, place = showing.prop.shape, self._spot(showing.left)
                place[1] = high + props.half_height(shape)
                props.draw(image, self.lens, shape, showing.prop.colour, place)
        # Hands above the table are in front of it.
        self._figure.draw_arms(image, self.lens, person, high)

    # -- truth -----------------------------------------------------------------------------

    @property
    def turns(self) -> int:
        """Whole micro-turns in the scene."""
        return int(self.script.seconds / CHUNK_S + 1e-6)

    def frame(self, i: int) -> Image:
        """The picture of micro-turn ``i``: the newest one at its end."""
        return self.render((i + 1) * CHUNK_S)

    def count(self, t: float) -> int:
        """Whole repetitions that have ended by ``t`` in the set that goes on, or went on last."""
        begun = [one for one in self.script.sets if one.start <= t]
        return sum(r.counts and r.end <= t for r in begun[-1].repetitions) if begun else 0

    def per_turn(self, i: int) -> TurnTruth:
        """The truth at the end of micro-turn ``i``."""
        t = (i + 1) * CHUNK_S
        person = self.actor.person(t) if self.script.presence else None
        present = any(e.label == PRESENT and e.start <= t < e.end for e in self.events)
        going = [one for one in self.script.sets if one.start <= t < one.end]
        repetition = exercises.current(going[0], t) if going else None
        phase = (t - repetition.start) / (repetition.end - repetition.start) if repetition else 0.0
        shown = [e for e in self.events if e.start <= t < e.end and e.visible >= _MOSTLY]
        return TurnTruth(
            present=present,
            facing=self._facing(t) if present else "",
            distance=float(np.linalg.norm(self.lens.place - person.joints.head))
            if person and present
            else 0.0,
            gaze=self.actor.gaze(person) if person and present else "",
            speaking=present and self._speaks(t - CHUNK_S, t),
            exercise=going[0].kind if going else "",
            phase=phase,
            count=self.count(t),
            ended=any(r.counts and t - CHUNK_S < r.end <= t for r in self.repetitions),
            gestures=tuple(e.label for e in shown if e.label in gestures.LABELS),
            things=tuple(e.label for e in shown if e.detail in ("hand", "table")),
            camera=self.camera_state(t),
        )

    def camera_state(self, t: float) -> str:
        fault = self.sensor.fault(t)
        if fault:
            return fault
        return "late" if t - self.sensor.moment(t)[0] > LATE_S else "good"

    def _speaks(self, a: float, b: float) -> bool:
        if self.script.talks:
            return any(talk.start < b and a < talk.end for talk in self.script.talks)
        return self.voice is not None and any(self.voice(a + k * (b - a) / 4) > 0.08 for k in range(5))

    def _facing(self, t: float) -> str:
        _, yaw = self.actor.pose_at(t)
        x, z, *_ = self.actor.place(t)
        camera = math.atan2(float(self.lens.place[0]) - x, float(self.lens.place[2]) - z)
        off = abs(math.remainder(yaw - camera, 2 * math.pi))
        names = ("front", "three-quarter", "side", "back")
        return names[int(np.searchsorted(np.radians([25, 65, 115]), off))]

    def _events(self) -> tuple[VisualEvent, ...]:
        script, out = self.script, []
        if not script.presence:
            return ()
        out += self._presence()
        for move in script.moves:
            if move.kind in ("turn away", "come close"):
                turn = 0.5 * min(0.9, 0.3 * (move.end - move.start))
                out.append(VisualEvent(move.start + turn, move.end - turn, move.kind))
        for gesture in script.gestures:
            label = gestures.label_of(gesture)
            if label:
                start, end = gestures.seen_from(gesture)
                side = "left" if gesture.left else "right"
                out.append(
                    VisualEvent(start, end, label, side, self._visible(start, end, label, gesture.left))
                )
        out += [self._shown(showing) for showing in script.showings]
        out += [VisualEvent(one.start, one.end, "exercise", one.kind) for one in script.sets]
        return tuple(sorted(out, key=lambda e: (e.start, e.label)))

    def _shown(self, showing: Showing) -> VisualEvent:
        if showing.way == "table":
            there = float(self.lens.inside(self._spot(showing.left)))
            return VisualEvent(showing.start, showing.end, showing.prop.label, "table", there)
        start, end = showing.start + 0.35, showing.end - 0.35
        visible = self._visible(start, end, showing.prop.label, showing.left)
        return VisualEvent(start, end, showing.prop.label, "hand", visible)

    def _visible(self, start: float, end: float, label: str, left: bool) -> float:
        """The share of five moments in which the hand, or the head, is in the picture."""
        hits = 0
        for k in range(5):
            j = self.actor.joints(start + (end - start) * (k + 0.5) / 5)
            head = label in (*gestures.HEAD_GESTURES, "slouch")
            hits += self.lens.inside(j.head if head else j.wrists[0 if left else 1])
        return hits / 5

    def _presence(self) -> list[VisualEvent]:
        """When the person is in the picture, and when they come and go, to a hundredth of a second."""
        seconds, out = self.script.seconds, []
        edges: list[float] = []
        before = self.actor.seen(0.0)
        begin = 0.0 if before else -1.0
        if not any(m.kind in ("enter", "leave") for m in self.script.moves):
            return [VisualEvent(0.0, seconds, PRESENT)]
        windows = [(m.start, m.end) for m in self.script.moves if m.kind in ("enter", "leave")]
        for a, b in windows:
            t = a
            while t < min(b, seconds):
                after = self.actor.seen(min(t + 0.05, seconds))
                if after != before:
                    edges.append(self._edge(t, min(t + 0.05, seconds), after))
                    if after:
                        begin = edges[-1]
                        out.append(VisualEvent(begin, min(begin + 1.0, seconds), "enter"))
                    else:
                        out.append(VisualEvent(begin, edges[-1], PRESENT))
                        out.append(VisualEvent(edges[-1], min(edges[-1] + 1.0, seconds), "leave"))
                    before = after
                t += 0.05
        if before:
            out.append(VisualEvent(begin, seconds, PRESENT))
        return out

    def _edge(self, a: float, b: float, after: bool) -> float:
        for _ in range(4):
            middle = 0.5 * (a + b)
            if self.actor.seen(middle) == after:
                b = middle
            else:
                a = middle
        return b


def _inset(rng: Rng, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Width, height, left and top of the camera's picture inside 160 x 120; at times not in the middle."""
    width, height = FRAME_SIZE
    scale = min(width / shape[0], height / shape[1])
    w, h = round(shape[0] * scale) // 2 * 2, round(shape[1] * scale) // 2 * 2
    where = 0.5 if rng.random() < 0.9 else float(rng.random())
    return w, h, round((width - w) * where), round((height - h) * where)


def _camera(rng: Rng, split: Split, script: Script, body: Body, size: tuple[int, int]) -> Lens:
    """A camera that has the script's framing of somebody at the origin."""
    angle = split.number(rng, "field of view", 0.85, 1.35)
    focal = 0.5 * max(size) / math.tan(0.5 * angle)
    seat = 0.5 if script.posture == "sitting" else 1.0
    eyes = body.ankle + seat * body.leg + body.trunk + body.neck + body.head[1]
    span = _SPANS[script.framing] * split.number(rng, "framing", 0.88, 1.2)
    if script.sets and not any(one.kind in _OVERHEAD for one in script.sets):
        span *= 0.86
    middle = {"face": eyes, "bust": eyes - 0.2, "waist": eyes - 0.36, "full": 0.5 * (eyes + 0.2)}[
        script.framing
    ]
    floor = any(one.kind in exercises.ON_THE_FLOOR for one in script.sets)
    across = 2.3 if floor else 0.0
    if floor and len({one.kind in exercises.ON_THE_FLOOR for one in script.sets}) == 1 and rng.random() < 0.6:
        span, middle = max(1.3, 0.6 * span), 0.4
    distance = max(span * focal / size[1], across * focal / size[0], 0.4)
    aside = float(rng.normal(0, 0.08)) * distance
    height = split.number(rng, "camera height", -0.28, 0.3) * distance
    at = (float(rng.normal(0, 0.05)) * span, middle + float(rng.normal(0, 0.03)) * span, 0.0)
    place = (aside, max(0.12, middle + height), distance)
    roll = 0.0 if rng.random() < 0.6 else split.number(rng, "tilt", -0.12, 0.12)
    return aimed(place, at, roll, focal, size)

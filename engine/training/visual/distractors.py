"""What moves though nothing is meant by it: people passing, pets, cars, curtains, fans, televisions."""

import math
from dataclasses import dataclass

import numpy as np

from engine.training.visual import paint
from engine.training.visual.actor import walk
from engine.training.visual.face import Expression
from engine.training.visual.figure import Figure, Light, Person
from engine.training.visual.lens import Lens
from engine.training.visual.look import Body, draw_body, draw_look
from engine.training.visual.pose import pose
from engine.training.visual.room import Room, corners_inside
from engine.training.visual.skeleton import joints
from engine.training.visual.splits import Rng, Split, hsv, toned
from engine.types import Image

KINDS = ("passer", "pet", "car", "curtain", "fan", "television")


@dataclass(frozen=True)
class _Passing:
    """Somebody or something that crosses the picture; ``speed`` metres a second, to the right if positive."""

    start: float
    speed: float
    z: float
    reach: float

    def x(self, t: float) -> float:
        return (t - self.start) * self.speed - math.copysign(self.reach, self.speed)

    def seen(self, t: float) -> bool:
        return abs(self.x(t)) <= self.reach


class Distractors:
    """Draws some of the distractors behind, some in front of the actor."""

    def __init__(self, rng: Rng, split: Split, room: Room, lens: Lens, seconds: float, many: float) -> None:
        self.lens, self.room = lens, room
        self.kinds = tuple(kind for kind in KINDS if rng.random() < many)
        self._beat = float(rng.uniform(0.3, 1.4))
        self._hue = float(rng.random())
        self._spot = float(rng.uniform(-0.8, 0.8)), float(rng.uniform(1.4, 2.2))
        depth = float(lens.place[2])
        behind = float(rng.uniform(0.6, max(0.65, -room.back - 0.2)))
        z = -behind if rng.random() < 0.85 else 0.45 * depth
        self._passer = self._crossing(rng, seconds, z, 1.1)
        self._pet = self._crossing(rng, seconds, float(rng.uniform(-0.9, 0.4)), 0.7)
        self._car = self._crossing(rng, seconds, 0.0, 1.0)
        self._body: Body = draw_body(rng, split)
        light = Light(float(rng.uniform(-1, 1)), -0.4, 0.25)
        self._figure = Figure(self._body, draw_look(rng, split), light)
        self._fur = hsv(
            float(rng.uniform(0.03, 0.12)), float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.1, 0.9))
        )

    def _crossing(self, rng: Rng, seconds: float, z: float, speed: float) -> _Passing:
        reach = 0.6 * (float(self.lens.place[2]) - z) * self.lens.width / self.lens.focal + 0.8
        way = float(rng.choice([-1, 1])) * speed * float(rng.uniform(0.6, 1.5))
        return _Passing(float(rng.uniform(-1.0, max(0.5, seconds - 2.0))), way, z, reach)

    def behind(self, image: Image, t: float) -> None:
        """What is on the wall, outside, or behind the actor."""
        if "television" in self.kinds and self.room.screen is not None:
            self._television(image, t)
        if "car" in self.kinds and self.room.window is not None:
            self._drive(image, t)
        if "curtain" in self.kinds and self.room.window is not None:
            self._curtain(image, t)
        if "fan" in self.kinds:
            self._fan(image, t)
        if "passer" in self.kinds and self._passer.z < 0:
            self._pass(image, t)
        if "pet" in self.kinds and self._pet.z < 0:
            self._run(image, t)

    def before(self, image: Image, t: float) -> None:
        """What passes between the actor and the camera."""
        if "passer" in self.kinds and self._passer.z >= 0:
            self._pass(image, t)
        if "pet" in self.kinds and self._pet.z >= 0:
            self._run(image, t)

    def _pass(self, image: Image, t: float) -> None:
        if not self._passer.seen(t):
            return
        x = self._passer.x(t)
        p = pose()
        walk(p, x, 1.0)
        yaw = math.copysign(1.45, self._passer.speed)
        self._figure.draw(
            image, self.lens, Person(joints(p, self._body, (x, self._passer.z), yaw), p, Expression())
        )

    def _run(self, image: Image, t: float) -> None:
        if not self._pet.seen(t):
            return
        x, z, ahead = self._pet.x(t), self._pet.z, math.copysign(1.0, self._pet.speed)
        beat = math.sin(2 * math.pi * 2.2 * t)
        spots = [
            (x - 0.18, 0.26, z),
            (x + 0.18, 0.26, z),
            (x + 0.3 * ahead, 0.36, z),
            (x - 0.36 * ahead, 0.4 + 0.05 * beat, z),
        ]
        spots += [(x + s * 0.17 + 0.07 * beat * w, 0.03, z) for s, w in ((-1, 1), (-1, -1), (1, -1), (1, 1))]
        pixels, depth = self.lens.project(np.array(spots))
        scale = self.lens.focal / float(depth[0])
        at = [(float(a), float(b)) for a, b in pixels]
        for k in range(4):
            paint.stroke(image, at[0] if k < 2 else at[1], at[4 + k], 0.05 * scale, toned(self._fur, 0.7))
        paint.stroke(image, at[0] if ahead > 0 else at[1], at[3], 0.035 * scale, self._fur)
        paint.stroke(image, at[0], at[1], 0.18 * scale, self._fur)
        paint.disc(image, *at[2], 0.09 * scale, self._fur)

    def _television(self, image: Image, t: float) -> None:
        assert self.room.screen is not None
        left, top, right, bottom = corners_inside(self.room.screen)
        shot = math.floor(t * self._beat)
        hue = (self._hue + 0.37 * shot) % 1.0
        x, y, wide, high = 0.5 * (left + right), 0.5 * (top + bottom), right - left, bottom - top
        box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        paint.polygon(image, box, hsv(hue, 0.5, 0.5 + 0.4 * ((shot * 7) % 5) / 5))
        x += 0.25 * wide * math.sin(1.9 * t)
        paint.oval(image, x, bottom - 0.15 * high, (0.14 * wide, 0.2 * high), 0, hsv(hue + 0.4, 0.6, 0.5))
        paint.disc(image, x, y - 0.02 * high, 0.14 * high, (214, 170, 140))
        paint.stroke(
            image,
            (x, y + 0.3 * high),
            (x + 0.25 * wide, y + 0.2 * high * math.sin(5 * t)),
            0.08 * high,
            (214, 170, 140),
        )

    def _drive(self, image: Image, t: float) -> None:
        assert self.room.window is not None
        left, top, right, bottom = corners_inside(self.room.window)
        share = ((t * 0.25 * abs(self._car.speed) + self._hue) % 1.6) - 0.3
        x = left + (right - left) * share
        a, b = max(left, x), min(right, x + 0.4 * (right - left))
        if b > a:
            y = bottom - 0.22 * (bottom - top)
            car = np.array([(a, y), (b, y), (b, bottom - 2), (a, bottom - 2)])
            paint.polygon(image, car, hsv(self._hue, 0.8, 0.8))

    def _curtain(self, image: Image, t: float) -> None:
        assert self.room.window is not None
        left, top, right, bottom = corners_inside(self.room.window)
        wide = 0.35 * (right - left)
        for end, sign in ((left, 1.0), (right, -1.0)):
            sway = 0.3 * wide * math.sin(1.3 * t + end)
            outline = [
                (end, top),
                (end + sign * wide, top),
                (end + sign * wide + sway, bottom + 4),
                (end + 0.3 * sway, bottom + 4),
            ]
            paint.polygon(image, np.array(outline), hsv(self._hue, 0.3, 0.75))

    def _fan(self, image: Image, t: float) -> None:
        pixels, depth = self.lens.project(np.array([[self._spot[0], self._spot[1], self.room.back + 0.2]]))
        scale = self.lens.focal / float(depth[0])
        x, y = pixels[0].tolist()
        for k in range(3):
            angle = 2 * math.pi * (self._beat * t + k / 3)
            end = (x + 0.24 * scale * math.cos(angle), y + 0.24 * scale * math.sin(angle))
            paint.stroke(image, (x, y), end, 0.07 * scale, (196, 198, 204))
        paint.disc(image, x, y, 0.05 * scale, (90, 92, 98))

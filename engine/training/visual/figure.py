"""A person on the picture: limbs, trunk, head and hands painted from far to near."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.training.visual import face, hand, paint, props
from engine.training.visual.face import Expression
from engine.training.visual.lens import Lens
from engine.training.visual.look import Body, Look
from engine.training.visual.pose import INDEX, Pose
from engine.training.visual.skeleton import Joints
from engine.training.visual.splits import Colour, toned
from engine.types import Image

_RING = np.array([(math.cos(a), math.sin(a)) for a in np.arange(10) * (2 * math.pi / 10)])
_LEFT_HAND = slice(INDEX["l_f0"], INDEX["l_f4"] + 1)
_RIGHT_HAND = slice(INDEX["r_f0"], INDEX["r_f4"] + 1)


@dataclass(frozen=True)
class Light:
    """Where light comes from on the picture, and how much darker what faces away from it is."""

    x: float
    y: float
    contrast: float


@dataclass(frozen=True)
class Held:
    """What a hand holds. ``shape`` and ``colour``: see ``props``."""

    left: bool
    shape: str
    colour: Colour


@dataclass(frozen=True)
class Person:
    """All that is needed to paint somebody at one moment."""

    joints: Joints
    pose: Pose
    expression: Expression
    held: tuple[Held, ...] = ()


class Figure:
    """Paints one person. Not to be shared by threads: it holds the picture it works on."""

    def __init__(self, body: Body, look: Look, light: Light) -> None:
        self.body, self.look, self.light = body, look, light

    def draw(self, image: Image, lens: Lens, person: Person) -> None:
        """Paint ``person`` on ``image``, unless they are behind the camera."""
        j = person.joints
        ends = np.array(
            [
                *j.hips,
                *j.knees,
                *j.ankles,
                *j.toes,
                *j.shoulders,
                *j.elbows,
                *j.wrists,
                j.neck,
                j.head,
                j.chest,
            ]
        )
        pixels, depth = lens.project(ends)
        if float(((ends - lens.place) @ lens.axes[2]).max()) < 0.2:
            return
        scale = lens.focal / depth
        points = list(zip(pixels[:, 0].tolist(), pixels[:, 1].tolist(), scale.tolist(), strict=True))
        depths = depth.tolist()
        chest = depths[16]
        parts: list[tuple[float, Callable[[], None]]] = [
            (chest, lambda: self._trunk(image, lens, j)),
            (depths[15] - 0.02, lambda: self._head(image, lens, person, points[14], points[15])),
        ]
        for k in (0, 1):
            hip, knee, ankle, toe, shoulder, elbow, wrist = (points[k + 2 * n] for n in range(7))
            far = 0.5 * (depths[k] + depths[2 + k])
            parts.append((far + 0.06, lambda a=hip, b=knee: self._thigh(image, a, b)))  # type: ignore[misc]
            parts.append(
                (
                    0.5 * (depths[2 + k] + depths[4 + k]) + 0.05,
                    lambda a=knee, b=ankle, c=toe: self._shin(image, a, b, c),  # type: ignore[misc]
                )
            )
            near_upper = 0.3 * depths[8 + k] + 0.7 * depths[10 + k]
            near_fore = 0.4 * depths[10 + k] + 0.6 * depths[12 + k]
            parts.append((near_upper - 0.01, lambda a=shoulder, b=elbow: self._upper(image, a, b)))  # type: ignore[misc]
            parts.append(
                (
                    near_fore - 0.06,
                    lambda a=elbow, b=wrist, left=k == 0: self._fore(image, lens, person, a, b, left),  # type: ignore[misc]
                )
            )
        parts.sort(key=lambda part: -part[0])
        for _, part in parts:
            part()

    def draw_arms(self, image: Image, lens: Lens, person: Person, above: float) -> None:
        """Paint forearms and hands alone that are ``above`` so many metres: over a table before the body."""
        j = person.joints
        pixels, depth = lens.project(np.array([*j.elbows, *j.wrists]))
        scale = (lens.focal / depth).tolist()
        points = [(float(pixels[k, 0]), float(pixels[k, 1]), scale[k]) for k in range(4)]
        for k in (0, 1):
            if float(j.wrists[k][1]) > above:
                self._fore(image, lens, person, points[k], points[2 + k], k == 0)

    # -- parts ------------------------------------------------------------------------------

    def limb(
        self,
        image: Image,
        a: tuple[float, float, float],
        b: tuple[float, float, float],
        radii: tuple[float, float],
        colour: Colour,
    ) -> None:
        """A limb with its dark and its lit side; ``a``, ``b``: x, y and pixels a metre; ``radii``: metres."""
        ra, rb = a[2] * radii[0], b[2] * radii[1]
        paint.limb(image, (a[0], a[1], ra), (b[0], b[1], rb), toned(colour, 1.0 - self.light.contrast))
        dx, dy = 0.3 * self.light.x, 0.3 * self.light.y
        lit = ((a[0] + dx * ra, a[1] + dy * ra, 0.7 * ra), (b[0] + dx * rb, b[1] + dy * rb, 0.7 * rb))
        paint.limb(image, *lit, colour)

    def _thigh(self, image: Image, hip: tuple[float, float, float], knee: tuple[float, float, float]) -> None:
        girth, look = self.body.girth, self.look
        self.limb(image, hip, knee, (3.3 * girth, 2.2 * girth), look.skin if look.legs < 1 else look.trousers)
        if look.legs < 1:
            share = 0.75 if not look.skirt else 0.9
            end = _between(hip, knee, share)
            self.limb(image, hip, end, (3.4 * girth, (3.6 if look.skirt else 2.8) * girth), look.trousers)

    def _shin(
        self,
        image: Image,
        knee: tuple[float, float, float],
        ankle: tuple[float, float, float],
        toe: tuple[float, float, float],
    ) -> None:
        girth, look = self.body.girth, self.look
        self.limb(
            image, knee, ankle, (2.1 * girth, 1.4 * girth), look.skin if look.legs < 1 else look.trousers
        )
        self.limb(image, ankle, toe, (1.5 * girth, 1.3 * girth), look.shoes)

    def _upper(
        self, image: Image, shoulder: tuple[float, float, float], elbow: tuple[float, float, float]
    ) -> None:
        girth, look = self.body.girth, self.look
        self.limb(
            image,
            shoulder,
            elbow,
            (1.75 * girth, 1.45 * girth),
            look.skin if look.sleeves < 1 else look.shirt,
        )
        if 0 < look.sleeves < 1:
            self.limb(
                image, shoulder, _between(shoulder, elbow, 0.65), (2.0 * girth, 1.9 * girth), look.shirt
            )

    def _fore(
        self,
        image: Image,
        lens: Lens,
        person: Person,
        elbow: tuple[float, float, float],
        wrist: tuple[float, float, float],
        left: bool,
    ) -> None:
        girth, look = self.body.girth, self.look
        sleeve = look.sleeves >= 1
        k = 0 if left else 1
        held = [h for h in person.held if h.left == left]
        place, basis = person.joints.wrists[k], person.joints.palms[k]
        curls = person.pose[_LEFT_HAND if left else _RIGHT_HAND]
        self.limb(
            image, elbow, wrist, (1.4 * girth, 1.05 * girth * (1.2 if sleeve else 1.0)),
            look.shirt if sleeve else look.skin,
        )  # fmt: skip
        shade = 1.0 - 0.6 * self.light.contrast
        for thing in held:
            hand.draw(image, lens, place, basis, self.body.hand, curls, look.skin, shade)
            grip = place + basis @ np.array([0.0, 0.62, 0.25]) * self.body.hand
            props.draw(image, lens, thing.shape, thing.colour, grip, basis)
        hand.draw(image, lens, place, basis, self.body.hand, curls, look.skin, shade, holding=bool(held))

    def _trunk(self, image: Image, lens: Lens, j: Joints) -> None:
        body, look = self.body, self.look
        rings = (
            (j.pelvis - j.lower[:, 1] * 0.05, j.lower, body.hip * 1.0 + 2.6 * body.girth, 0.082),
            (
                j.pelvis + j.lower[:, 1] * 0.06,
                j.lower,
                0.5 * (body.hip + 2.6 * body.girth + body.waist),
                0.09,
            ),
            (j.waist, j.lower, body.waist, 0.08),
            (j.chest, j.trunk, body.chest, 0.092),
            (j.neck - j.trunk[:, 1] * 0.05, j.trunk, body.shoulder + 0.9 * body.girth, 0.07),
            (j.neck + j.trunk[:, 1] * 0.012, j.trunk, 0.065, 0.05),
        )
        deep = (body.girth / 0.0235) ** 0.5
        points = np.concatenate(
            [
                place
                + np.outer(_RING[:, 0] * wide, basis[:, 0])
                + np.outer(_RING[:, 1] * thick * deep, basis[:, 2])
                for place, basis, wide, thick in rings
            ]
        )
        pixels, _ = lens.project(points)
        levels = pixels.reshape(len(rings), len(_RING), 2)
        for k in range(len(rings) - 1):
            colour = look.trousers if k == 0 else look.shirt
            if look.pattern == "halves" and k == 3:
                colour = look.shirt_print
            self._band(image, levels[k], levels[k + 1], colour)
        self._print(image, levels)

    def _band(self, image: Image, low: paint.Points, high: paint.Points, colour: Colour) -> None:
        both = np.concatenate([low, high])
        paint.hull(image, both, toned(colour, 1.0 - self.light.contrast))
        middle = both.mean(axis=0)
        wide = float(np.ptp(both[:, 0]))
        lit = middle + (both - middle) * (0.72, 1.0)
        paint.hull(image, lit + np.array([0.1 * wide * self.light.x, 0.0]), colour)

    def _print(self, image: Image, levels: NDArray[np.float64]) -> None:
        """Stripes, a badge, dots or an open jacket on the shirt."""
        look = self.look
        front = _RING[:, 1] > 0.2  # ring points on the chest's side
        if look.pattern == "stripes":
            for k in (1, 2, 3):
                for share in (0.2, 0.6):
                    low = levels[k] + (levels[k + 1] - levels[k]) * share
                    high = levels[k] + (levels[k + 1] - levels[k]) * (share + 0.2)
                    paint.hull(image, np.concatenate([low, high]), look.shirt_print)
            return
        chest = levels[3][front]
        left, right = levels[3][0], levels[3][5]
        facing = float(right[0] - left[0]) < 0  # a person's left is at the right of the picture
        if not facing or look.pattern == "plain":
            return
        x, y = chest.mean(axis=0).tolist()
        wide = float(np.ptp(levels[3][:, 0]))
        if look.pattern == "badge":
            paint.oval(image, x, y, (0.16 * wide, 0.13 * wide), 0, look.shirt_print)
        elif look.pattern == "dots":
            for k in (2, 3):
                for share in (0.25, 0.75):
                    row = levels[k][front] + (levels[k + 1][front] - levels[k][front]) * share
                    for px, py in row.tolist():
                        paint.disc(image, px, py, 0.05 * wide, look.shirt_print)
        elif look.pattern == "open jacket":
            strip = [levels[k][2:4] for k in (1, 2, 3, 4)]
            paint.hull(image, np.concatenate(strip), look.shirt_print)

    def _head(
        self,
        image: Image,
        lens: Lens,
        person: Person,
        neck: tuple[float, float, float],
        head: tuple[float, float, float],
    ) -> None:
        wide = 0.62 * self.body.head[0]
        top = _between(neck, head, 0.55)
        self.limb(image, neck, top, (1.15 * wide, wide), toned(self.look.skin, 0.88))
        face.draw(
            image, lens, person.joints.head, person.joints.skull, self.body.head, self.look,
            person.expression, self.light.contrast * (1 if self.light.x > 0 else -1),
        )  # fmt: skip


def _between(
    a: tuple[float, float, float], b: tuple[float, float, float], share: float
) -> tuple[float, float, float]:
    x, y, scale = (p + (q - p) * share for p, q in zip(a, b, strict=True))
    return x, y, scale

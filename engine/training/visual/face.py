"""A head: skull, hair, eyes that look somewhere, and a mouth that opens."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.training.visual import paint
from engine.training.visual.lens import Lens
from engine.training.visual.look import Look
from engine.training.visual.splits import Colour, mixed, toned
from engine.types import Image

_SMALLEST = 5.0  # px of half a head's height below which eyes and mouth would be dots


@dataclass(frozen=True)
class Expression:
    """``mouth`` opening and ``wide`` 0 to 1, ``smile`` -1 to 1, ``lids`` 1 shut; gaze in radians."""

    mouth: float = 0.0
    wide: float = 0.5
    smile: float = 0.0
    lids: float = 0.0
    gaze_yaw: float = 0.0
    gaze_pitch: float = 0.0
    brows: float = 0.0


def _sphere(rows: int, columns: int) -> NDArray[np.float64]:
    out: list[tuple[float, float, float]] = []
    for a in np.linspace(-0.5 * math.pi, 0.5 * math.pi, rows):
        count = max(1, round(columns * math.cos(a)))
        around = np.arange(count) * (2 * math.pi / count)
        out += [(math.cos(a) * math.sin(b), math.sin(a), math.cos(a) * math.cos(b)) for b in around]
    return np.array(out)


_POINTS = _sphere(9, 20)
_X, _Y, _Z = _POINTS.T
_TAPER = np.where(_Y < 0, 1.0 + 0.25 * _Y, 1.0)  # a chin is narrower than a forehead
_SHAPE = _POINTS * np.stack([_TAPER, np.ones_like(_TAPER), np.ones_like(_TAPER)], axis=1)
_FACE = {
    "short": (_Z > -0.05) & (_Y < 0.62),
    "fringe": (_Z > 0.0) & (_Y < 0.36),
    "long": (_Z > 0.25) & (_Y < 0.66),
    "bob": (_Z > 0.25) & (_Y < 0.4),
    "bun": (_Z > 0.0) & (_Y < 0.72),
    "curly": (_Z > 0.15) & (_Y < 0.5),
    "cap": (_Z > -0.2) & (_Y < 0.4),
    "bald": _Y < 2.0,
}
_BEARD = (_Y < -0.28) & (_Z > 0.0)
_NECK_BARE = (_Y < 0.0) & (_Z > -0.55)  # below the hair line at sides and back, for short hair
_FEATURES = {
    "l_eye": (0.37, 0.08), "r_eye": (-0.37, 0.08), "l_brow": (0.38, 0.30), "r_brow": (-0.38, 0.30),
    "nose": (0.0, -0.18), "mouth": (0.0, -0.5),
    "l_ear": (0.99, 0.0), "r_ear": (-0.99, 0.0), "bridge": (0.0, 0.1),
}  # fmt: skip
_NAMES = tuple(_FEATURES)
_ON_SKIN = np.array(
    [(x * (1 + 0.25 * min(y, 0)), y, math.sqrt(max(0.0, 1 - x * x - y * y))) for x, y in _FEATURES.values()]
)
_NORMALS = _ON_SKIN.copy()
_ON_SKIN[_NAMES.index("nose"), 2] = 1.2
_COUNT = len(_POINTS)


def draw(
    image: Image,
    lens: Lens,
    centre: NDArray[np.float64],
    skull: NDArray[np.float64],
    radii: tuple[float, float, float],
    look: Look,
    expression: Expression,
    side_light: float,
) -> None:
    """Paint a head. ``centre``: metres; ``skull``: its basis (left, up, forward); ``radii``: half sizes."""
    size = np.array(radii)
    shell = np.concatenate([_SHAPE, _ON_SKIN]) * size
    places = centre + shell @ skull.T
    pixels, _ = lens.project(places)
    view = lens.place - centre
    view = skull.T @ view / max(float(np.linalg.norm(view)), 1e-6)  # to the camera, in the head's own axes
    middle, distance = lens.project(centre[None])
    scale = lens.focal / float(distance[0])
    x, y = middle[0].tolist()
    high = radii[1] * scale
    shell_pixels, features = pixels[:_COUNT], pixels[_COUNT:]
    style = look.hair_style
    _hair(image, look, shell_pixels, (x, y), scale * radii[1], skull, lens, centre, radii)
    facing = _POINTS @ view > 0.05
    if style != "bald":
        if style in ("short", "cap", "bun"):
            bare = shell_pixels[facing & _NECK_BARE & (_Y < 0.2)]
            if len(bare) > 2:
                paint.hull(image, bare, toned(look.skin, 0.9))
        skin = shell_pixels[facing & _FACE[style]]
        if len(skin) > 2:
            _skin(image, skin, look.skin, side_light)
    else:
        _skin(image, shell_pixels, look.skin, side_light)
    if look.beard:
        beard = shell_pixels[facing & _BEARD]
        if len(beard) > 2:
            paint.hull(image, beard, mixed(look.hair, look.skin, 0.25))
    toward = _NORMALS @ view
    for name in ("l_ear", "r_ear"):
        k = _NAMES.index(name)
        if style in ("short", "bald", "cap", "bun") and toward[k] > -0.25:
            ex, ey = features[k].tolist()
            paint.oval(image, ex, ey, (0.13 * high, 0.2 * high), 0, toned(look.skin, 0.85))
    if high >= _SMALLEST:
        _features(image, look, expression, features, toward, high, skull, lens)


def _skin(image: Image, outline: paint.Points, skin: Colour, side_light: float) -> None:
    paint.hull(image, outline, toned(skin, 1.0 - 0.7 * abs(side_light)))
    wide = float(np.ptp(outline[:, 0]))
    middle = outline.mean(axis=0)
    lit = middle + (outline - middle) * (0.8, 0.97)
    paint.hull(image, lit + np.array([(0.1 if side_light > 0 else -0.1) * wide, 0.0]), skin)


def _hair(
    image: Image,
    look: Look,
    shell: paint.Points,
    middle: tuple[float, float],
    high: float,
    skull: NDArray[np.float64],
    lens: Lens,
    centre: NDArray[np.float64],
    radii: tuple[float, float, float],
) -> None:
    style = look.hair_style
    if style == "bald":
        return
    around = np.array(middle)
    if style in ("long", "bob"):
        low = -2.1 if style == "long" else -1.05
        back = np.array(
            [(-1.0, 0, -0.2), (1.0, 0, -0.2), (-1.0, low, -0.5), (1.0, low, -0.5), (0, low, -1.0)]
        )
        spread = back * radii * (1.12, 1.0, 1.1)
        fall, _ = lens.project(centre + spread @ skull.T)
        paint.hull(image, np.concatenate([fall, shell[_Y > 0]]), toned(look.hair, 0.85))
    if style == "bun":
        knot, _ = lens.project((centre + skull @ (np.array([0.0, 0.85, -0.85]) * radii))[None])
        paint.disc(image, float(knot[0, 0]), float(knot[0, 1]), 0.42 * high, look.hair)
    grown = 1.32 if style == "curly" else 1.1
    if style not in ("long", "bob"):
        paint.hull(image, shell, toned(look.skin, 0.85))
        shell = shell[_Y > (-0.55 if style == "curly" else -0.3)]
    paint.hull(image, around + (shell - around) * grown, look.hair)
    if style == "cap":
        brim = np.array([(-0.8, 0.45, 0.6), (0.8, 0.45, 0.6), (-0.5, 0.4, 1.5), (0.5, 0.4, 1.5)]) * radii
        edge, _ = lens.project(centre + brim @ skull.T)
        paint.hull(image, edge, toned(look.hair, 0.7))


def _features(
    image: Image,
    look: Look,
    expression: Expression,
    places: paint.Points,
    toward: NDArray[np.float64],
    high: float,
    skull: NDArray[np.float64],
    lens: Lens,
) -> None:
    at = {name: (*places[k].tolist(), float(toward[k])) for k, name in enumerate(_NAMES)}
    seen = lens.axes @ skull
    degrees = math.degrees(math.atan2(-float(seen[1, 0]), float(seen[0, 0])))  # how the eyes' line lies
    if float(seen[0, 0]) < 0:
        degrees = 0.0
    dark = toned(look.hair if look.hair_style != "bald" else look.skin, 0.55)
    nose, bridge = at["nose"], at["bridge"]
    if nose[2] > 0.0:
        paint.stroke(image, bridge[:2], nose[:2], 0.12 * high * look.nose, toned(look.skin, 0.86))
        paint.disc(image, nose[0], nose[1], 0.12 * high * look.nose, toned(look.skin, 0.8))
    for side in ("l", "r"):
        ex, ey, front = at[f"{side}_eye"]
        if front < 0.12:
            continue
        wide, tall = 0.2 * high * look.eye * front, 0.115 * high * look.eye * (1 - 0.92 * expression.lids)
        paint.oval(image, ex, ey, (wide * 1.25, tall * 1.3), degrees, toned(look.skin, 0.72))
        paint.oval(image, ex, ey, (wide, tall), degrees, (238, 236, 232))
        if expression.lids < 0.7:
            gx = ex + wide * 0.75 * max(-1.0, min(1.0, expression.gaze_yaw / 0.55))
            gy = ey + tall * 0.8 * max(-1.0, min(1.0, expression.gaze_pitch / 0.5))
            paint.disc(image, gx, gy, min(0.1 * high * look.eye, tall * 1.1), look.iris)
            paint.disc(image, gx, gy, 0.055 * high, (12, 12, 14))
        bx, by, _ = at[f"{side}_brow"]
        lift = -0.06 * high * expression.brows
        paint.stroke(
            image, (bx - 0.2 * high * front, by + lift), (bx + 0.2 * high * front, by + lift),
            0.07 * high * look.brows, dark,
        )  # fmt: skip
        if look.glasses:
            ring = (0.3 * high * front, 0.22 * high)
            _ring(image, ex, ey, ring, (28, 28, 32), 0.05 * high)
    if at["mouth"][2] > 0.08:
        _mouth(image, look, expression, at["mouth"], high, degrees)


def _ring(image: Image, x: float, y: float, radii: tuple[float, float], colour: Colour, width: float) -> None:
    angles = np.arange(8) * (math.pi / 4)
    points = [(x + radii[0] * math.cos(a), y + radii[1] * math.sin(a)) for a in angles]
    for k, point in enumerate(points):
        paint.stroke(image, point, points[k - 1], max(1.0, width), colour)


def _mouth(
    image: Image,
    look: Look,
    expression: Expression,
    at: tuple[float, float, float],
    high: float,
    degrees: float,
) -> None:
    x, y, front = at
    wide = (0.2 + 0.12 * expression.wide) * high * look.mouth * front
    opening = 0.24 * high * min(max(expression.mouth, 0.0), 1.0)
    lip = 0.05 * high * look.mouth
    y += 0.4 * opening
    if expression.smile and opening < lip:
        for end in (-1, 1):
            corner = (x + end * wide, y - 0.1 * high * expression.smile)
            paint.stroke(image, (x, y), corner, 1.6 * lip, look.lips)
        return
    paint.oval(image, x, y, (wide, opening + lip), degrees, look.lips)
    if opening > 0.4 * lip:
        paint.oval(image, x, y, (0.82 * wide, opening), degrees, (58, 18, 22))
        if opening > 0.1 * high:
            paint.oval(image, x, y - 0.55 * opening, (0.6 * wide, 0.28 * opening), degrees, (232, 230, 222))

"""Where a scene takes place: walls, floor, furniture and windows, painted once as the camera sees them."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.training.visual import paint
from engine.training.visual.lens import Lens
from engine.training.visual.splits import Colour, Rng, Split, hsv, mixed, toned
from engine.types import Image

MARGIN = 12  # px around the picture, for a camera that shakes
ROOMS = ("living room", "bedroom", "kitchen", "studio", "garden")
HELD_OUT_ROOMS = ("hallway", "office", "gym", "street")
_PATTERNS = ("plain", "plain", "stripes", "bricks", "dots")
_HELD_OUT_PATTERNS = ("gradient", "tiles", "panels", "checks")
_FURNITURE = {
    "living room": ("sofa", "shelf", "lamp", "plant", "picture", "window", "television"),
    "bedroom": ("bed", "cabinet", "lamp", "picture", "window", "door"),
    "kitchen": ("counter", "cabinet", "window", "shelf", "door"),
    "studio": (),
    "garden": (),
    "hallway": ("door", "picture", "lamp", "cabinet"),
    "office": ("desk", "shelf", "window", "picture", "plant", "television"),
    "gym": ("mirror", "rack", "window", "bench"),
    "street": (),
}
_BOXES = {  # width, height, depth in metres
    "sofa": (1.8, 0.8, 0.8), "bed": (1.6, 0.55, 1.4), "cabinet": (0.9, 1.1, 0.45), "counter": (2.4, 0.9, 0.6),
    "desk": (1.4, 0.75, 0.6), "bench": (1.2, 0.45, 0.4), "shelf": (0.9, 1.9, 0.3), "rack": (1.2, 1.3, 0.4),
}  # fmt: skip


@dataclass(frozen=True)
class Room:
    """A painted room. ``picture``: RGB with ``MARGIN`` px more on each side.

    ``window``, ``screen``: corners, px, or None.
    """

    kind: str
    picture: Image
    window: paint.Points | None
    screen: paint.Points | None
    back: float


class _Painter:
    """Paints quads and boxes given in metres."""

    def __init__(self, image: Image, lens: Lens) -> None:
        self.image, self.lens = image, lens

    def quad(self, corners: list[tuple[float, float, float]], colour: Colour) -> paint.Points:
        pixels, _ = self.lens.project(np.array(corners, np.float64))
        paint.polygon(self.image, pixels, colour)
        return pixels

    def wall(self, x: float, y: float, z: float, wide: float, high: float, colour: Colour) -> paint.Points:
        """A rectangle that faces the camera, its lower left corner at (x, y, z)."""
        return self.quad([(x, y, z), (x + wide, y, z), (x + wide, y + high, z), (x, y + high, z)], colour)

    def box(
        self, x: float, z: float, size: tuple[float, float, float], colour: Colour, y: float = 0.0
    ) -> None:
        """A box that stands at (x, z), its back at z."""
        wide, high, deep = size
        a, b, front, top = x - wide / 2, x + wide / 2, z + deep, y + high
        if front > float(self.lens.place[2]) - 0.3:
            return
        for side in (a, b):
            if (float(self.lens.place[0]) < a and side == a) or (float(self.lens.place[0]) > b and side == b):
                self.quad(
                    [(side, y, z), (side, y, front), (side, top, front), (side, top, z)], toned(colour, 0.65)
                )
        if float(self.lens.place[1]) > top:
            self.quad([(a, top, z), (b, top, z), (b, top, front), (a, top, front)], toned(colour, 1.15))
        self.wall(a, y, front, wide, high, colour)


def draw_room(rng: Rng, split: Split, lens: Lens, seat: float = 0.0) -> Room:
    """A room of this split as seen through ``lens``, with a chair ``seat`` metres high where people sit."""
    wide = Lens(lens.place, lens.axes, lens.focal, lens.width + 2 * MARGIN, lens.height + 2 * MARGIN)
    image = np.zeros((wide.height, wide.width, 3), np.uint8)
    painter = _Painter(image, wide)
    kind = split.kind(rng, ROOMS, HELD_OUT_ROOMS)
    back = -float(rng.uniform(0.7, 3.2))
    window = screen = None
    if kind in ("garden", "street"):
        _outdoors(rng, split, painter, kind)
    else:
        window, screen = _indoors(rng, split, painter, kind, back)
    colour = split.colour(rng, "chair", grey=0.6)
    if seat and rng.random() < 0.8:
        painter.box(0.0, -0.5, (0.5, float(rng.uniform(0.35, 0.8)), 0.06), colour, y=seat)
        painter.box(0.0, -0.44, (0.5, 0.06, 0.5), toned(colour, 0.8), y=seat - 0.06)
    grain = rng.normal(0, float(rng.uniform(0, 5)), (wide.height // 3 + 1, wide.width // 3 + 1, 1))
    spread = cv2.resize(grain.astype(np.float32), (wide.width, wide.height))[..., None]
    image = np.clip(image.astype(np.float32) + spread, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:  # a blurred background, as video calls make it
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(2, 6))), np.uint8)
    return Room(kind, image, window, screen, back)


def _indoors(
    rng: Rng, split: Split, painter: _Painter, kind: str, back: float
) -> tuple[paint.Points | None, paint.Points | None]:
    wall = split.colour(rng, "wall", grey=0.45)
    wall = mixed(wall, (225, 222, 215), float(rng.uniform(0.2, 0.75)))
    floor = mixed(split.colour(rng, "floor", grey=0.3), (140, 105, 75), float(rng.uniform(0, 0.8)))
    half = float(rng.uniform(1.6, 3.8))
    near = float(painter.lens.place[2]) - 0.25
    high = float(rng.uniform(2.35, 2.9))
    painter.image[:] = wall
    painter.quad(
        [(-half, high, back), (half, high, back), (half, high, near), (-half, high, near)], toned(wall, 1.1)
    )
    for x, gain in ((-half, 0.78), (half, 0.88)):
        painter.quad([(x, 0, back), (x, 0, near), (x, high, near), (x, high, back)], toned(wall, gain))
    painter.quad([(-9, 0, back), (9, 0, back), (9, 0, near), (-9, 0, near)], floor)
    painter.wall(-half, 0, back, 2 * half, high, wall)
    _pattern(rng, split, painter, wall, (half, high, back))
    if rng.random() < 0.5:  # boards
        for k in range(-12, 12):
            x = 0.35 * k
            painter.quad(
                [(x, 0, back), (x + 0.02, 0, back), (x + 0.02, 0, near), (x, 0, near)], toned(floor, 0.8)
            )
    if rng.random() < 0.4:
        rug = split.colour(rng, "rug")
        r = float(rng.uniform(0.7, 1.4))
        painter.quad([(-r, 0.005, -0.7), (r, 0.005, -0.7), (r, 0.005, 0.5), (-r, 0.005, 0.5)], rug)
    window = screen = None
    names = list(_FURNITURE[kind])
    rng.shuffle(names)
    x = -half + 0.3
    for name in names[: int(rng.integers(1, len(names) + 1)) if names else 0]:
        x += float(rng.uniform(0.3, 1.1))
        if x > half - 0.3:
            break
        colour = split.colour(rng, "furniture", grey=0.3)
        if name == "window":
            window = _window(rng, painter, x, back)
        elif name == "television":
            screen = painter.wall(x - 0.5, 1.0, back + 0.05, 1.0, 0.58, (18, 18, 20))
        else:
            _piece(rng, painter, name, x, back, colour)
        x += float(rng.uniform(0.2, 0.8))
    return window, screen


def _pattern(
    rng: Rng, split: Split, painter: _Painter, wall: Colour, size: tuple[float, float, float]
) -> None:
    half, high, back = size
    kind = split.kind(rng, _PATTERNS, _HELD_OUT_PATTERNS)
    other = mixed(wall, split.colour(rng, "pattern"), float(rng.uniform(0.15, 0.6)))
    step = float(rng.uniform(0.12, 0.45))
    columns = int(2 * half / step)
    if kind in ("stripes", "panels"):
        part = 0.5 if kind == "stripes" else 0.9
        for k in range(columns):
            top = high if kind == "stripes" else 1.0
            painter.wall(-half + k * step, 0.0, back, step * part, top, other)
    elif kind in ("bricks", "tiles", "checks", "dots"):
        rows = int(high / step * (2 if kind == "bricks" else 1))
        tall = high / max(rows, 1)
        for row in range(rows):
            for k in range(columns):
                if kind == "checks" and (row + k) % 2:
                    continue
                shift = 0.5 * step * (row % 2) if kind == "bricks" else 0.0
                part = {"bricks": 0.92, "tiles": 0.94, "checks": 1.0, "dots": 0.3}[kind]
                shade = toned(other, float(rng.uniform(0.92, 1.08)) if kind == "bricks" else 1.0)
                painter.wall(
                    -half + shift + k * step, row * tall, back, step * part, tall * min(part, 0.88), shade
                )
    elif kind == "gradient":
        for k in range(20):
            painter.wall(-half, high * k / 20, back, 2 * half, high / 20, mixed(wall, other, k / 20))


def _window(rng: Rng, painter: _Painter, x: float, back: float) -> paint.Points:
    wide, high = float(rng.uniform(0.7, 1.4)), float(rng.uniform(0.8, 1.3))
    sky = hsv(0.56, float(rng.uniform(0.05, 0.5)), float(rng.choice([0.15, 0.8, 1.0])))
    painter.wall(x - wide / 2 - 0.06, 0.95, back + 0.01, wide + 0.12, high + 0.12, (235, 232, 226))
    corners = painter.wall(x - wide / 2, 1.0, back + 0.02, wide, high, sky)
    painter.wall(x - wide / 2, 1.0, back + 0.02, wide, 0.25 * high, hsv(0.28, 0.4, 0.5))
    painter.wall(x - 0.02, 1.0, back + 0.03, 0.04, high, (228, 226, 220))
    return corners


def _piece(rng: Rng, painter: _Painter, name: str, x: float, back: float, colour: Colour) -> None:
    if name in _BOXES:
        size = _BOXES[name]
        painter.box(x, back, size, colour)
        if name == "sofa":
            painter.box(x, back, (size[0], 1.0, 0.25), toned(colour, 0.85))
        elif name in ("shelf", "rack"):
            front = back + size[2] + 0.01
            for row in range(4 if name == "shelf" else 3):
                y = 0.12 + row * size[1] / 4.2
                at = x - size[0] / 2 + 0.06
                while at < x + size[0] / 2 - 0.12:
                    thick = float(rng.uniform(0.03, 0.12))
                    tall = float(rng.uniform(0.2, 0.32))
                    painter.wall(
                        at, y, front, thick, tall, hsv(float(rng.random()), 0.5, float(rng.uniform(0.2, 0.9)))
                    )
                    at += thick + 0.01
        return
    if name == "door":
        painter.wall(x - 0.45, 0.0, back + 0.02, 0.9, 2.05, toned(colour, 0.8))
        painter.wall(x - 0.4, 0.0, back + 0.03, 0.8, 2.0, colour)
    elif name in ("picture", "mirror"):
        wide, high = float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.4, 0.8))
        y = float(rng.uniform(1.2, 1.6))
        painter.wall(x - wide / 2, y, back + 0.02, wide, high, (40, 32, 26))
        painter.wall(x - wide / 2 + 0.04, y + 0.04, back + 0.03, wide - 0.08, high - 0.08, colour)
        painter.wall(x - wide / 4, y + 0.1, back + 0.03, wide / 3, high / 2, toned(colour, 1.6))
    elif name == "lamp":
        painter.box(x, back + 0.2, (0.05, 1.4, 0.05), (70, 66, 60))
        painter.box(x, back + 0.2, (0.4, 0.32, 0.3), (250, 232, 190), y=1.4)
    else:
        painter.box(x, back + 0.1, (0.3, 0.35, 0.3), (150, 92, 62))
        for _ in range(9):
            spot = np.array([[x + float(rng.normal(0, 0.2)), float(rng.uniform(0.5, 1.2)), back + 0.3]])
            pixels, depth = painter.lens.project(spot)
            leaf = painter.lens.focal / float(depth[0])
            paint.oval(
                painter.image, float(pixels[0, 0]), float(pixels[0, 1]), (0.2 * leaf, 0.07 * leaf),
                float(rng.uniform(0, 180)),
                hsv(0.33, 0.6, float(rng.uniform(0.25, 0.6))),
            )  # fmt: skip


def _outdoors(rng: Rng, split: Split, painter: _Painter, kind: str) -> None:
    image = painter.image
    sky = hsv(0.57, float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.7, 1.0)))
    image[:] = sky
    near = float(painter.lens.place[2]) - 0.25
    ground = hsv(0.27, 0.5, float(rng.uniform(0.3, 0.6))) if kind == "garden" else hsv(0.1, 0.06, 0.45)
    for k in range(int(rng.integers(4, 12))):
        x, z = float(rng.uniform(-9, 9)), -12.0 + 0.6 * k
        if kind == "street":
            high = float(rng.uniform(3, 9))
            colour = split.colour(rng, "house", grey=0.4)
            painter.box(x, z, (3.0, high, 2.0), colour)
            for row in range(int(high)):
                for column in range(3):
                    painter.wall(x - 1.2 + 0.9 * column, row + 0.4, z + 2.02, 0.5, 0.6, (60, 70, 90))
        else:
            painter.box(x, z, (0.2, 1.6, 0.2), (84, 60, 42))
            for _ in range(6):
                spot = np.array([[x + float(rng.normal(0, 0.7)), float(rng.uniform(1.3, 3.2)), z + 0.2]])
                pixels, depth = painter.lens.project(spot)
                size = painter.lens.focal / float(depth[0]) * float(rng.uniform(0.5, 1.0))
                paint.disc(
                    image,
                    float(pixels[0, 0]),
                    float(pixels[0, 1]),
                    size,
                    hsv(0.3, 0.55, float(rng.uniform(0.2, 0.55))),
                )
    painter.quad([(-60, 0, -14), (60, 0, -14), (40, 0, near), (-40, 0, near)], ground)


def corners_inside(corners: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a quad, px of the picture without its margin."""
    x, y = corners[:, 0] - MARGIN, corners[:, 1] - MARGIN
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def light_map(rng: Rng, width: int, height: int) -> NDArray[np.float32]:
    """How bright each place of a small picture is, (height, width, 1): a gradient and dark corners."""
    angle = float(rng.uniform(0, 2 * math.pi))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = float(rng.uniform(0.0, 0.3))
    corners = float(rng.uniform(0.0, 0.18))
    out = 1.0 + slope * (x * math.cos(angle) + y * math.sin(angle)) - corners * (x * x + y * y)
    return np.asarray(out[..., None], np.float32)

"""From light to a camera's picture: exposure, colour, noise, blur, artefacts, and pictures that come late."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.training.visual.room import light_map
from engine.training.visual.splits import Rng, Split
from engine.types import Image

_TABLE = 1024
LATE_S = 0.4


@dataclass(frozen=True)
class Fault:
    """``kind``: frozen, black or covered, from ``start`` to ``end``."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class Switch:
    """The light changes by ``factor`` at ``t``."""

    t: float
    factor: float


class Sensor:
    """What a camera makes of small pictures of ``size`` (width, height). ``seconds``: length of the scene.

    ``far``: the person is small, so that strong blur would hide what they do.


    All that is random is drawn at the start, so that the picture of a time is always the same.
    """

    def __init__(self, rng: Rng, split: Split, seconds: float, size: tuple[int, int], far: bool) -> None:
        width, height = size
        self.fps = float(rng.choice([5, 8, 10, 15, 24, 30], p=[0.05, 0.05, 0.1, 0.25, 0.15, 0.4]))
        self.jitter = float(rng.choice([0.0, 0.15, 0.4]))
        self.dropping = float(rng.choice([0.0, 0.03, 0.2], p=[0.6, 0.3, 0.1]))
        self._chance = rng.random(_TABLE)
        exposure = split.number(rng, "exposure", 0.55, 1.35)
        warm = split.number(rng, "white balance", -0.22, 0.22)
        green = float(rng.normal(0, 0.03))
        self._gain = exposure * np.array([1 + warm, 1 + green, 1 - warm], np.float32)
        self._map = light_map(rng, width, height) * self._gain
        self.gamma = split.number(rng, "gamma", 0.75, 1.3)
        self.noise = float(rng.choice([1.0, 3.0, 8.0], p=[0.45, 0.4, 0.15])) * float(rng.uniform(0.6, 1.4))
        self.blur = float(rng.choice([0.0, 0.5, 0.8, 0.8 if far else 1.4], p=[0.5, 0.25, 0.15, 0.1]))
        self.quality = int(rng.integers(18, 90)) if rng.random() < 0.4 else 0
        self.shutter = float(rng.choice([0.0, 0.025, 0.06], p=[0.55, 0.25, 0.2]))
        self.shake = float(rng.choice([0.0, 0.6, 2.5], p=[0.6, 0.28, 0.12]))
        self._shaking = rng.uniform(0, 2 * math.pi, 4)
        self.flicker = float(rng.uniform(0.02, 0.12)) if rng.random() < 0.12 else 0.0
        self._beat = float(rng.uniform(0.7, 9.0))
        self.grey = rng.random() < 0.04
        self.switches = tuple(
            Switch(float(rng.uniform(0, seconds)), float(rng.choice([0.3, 0.5, 1.5, 2.0])))
            for _ in range(int(rng.poisson(0.2)))
        )
        self._lag = float(rng.uniform(0.3, 2.0))
        self.faults: tuple[Fault, ...] = ()
        if rng.random() < 0.08:
            start = float(rng.uniform(0.0, 0.9)) * seconds
            kind = str(rng.choice(["frozen", "black", "covered"]))
            self.faults = (Fault(kind, start, min(seconds, start + float(rng.uniform(1.0, 5.0)))),)
        noise = rng.normal(0, 1, (height + 32, width + 32, 3 if rng.random() < 0.6 else 1))
        coarse = cv2.GaussianBlur(noise.astype(np.float32), (3, 3), 0.6).reshape(noise.shape)
        tile = np.broadcast_to(coarse / coarse.std() * self.noise, (height + 32, width + 32, 3))
        self._grain = tile.astype(np.float32).copy()
        curve = 255.0 * (np.arange(256) / 255.0) ** self.gamma
        self._curve = np.clip(curve, 0, 255).astype(np.uint8)
        self._hand = (np.array([70, 32, 24]) * float(rng.uniform(0.1, 0.9))).astype(np.float32)

    def _random(self, number: int, which: int) -> float:
        return float(self._chance[(number * 7 + which * 331) % _TABLE])

    def fault(self, t: float) -> str:
        """What is wrong with the camera at ``t``; empty when nothing is."""
        return next((f.kind for f in self.faults if f.start <= t < f.end), "")

    def moment(self, t: float) -> tuple[float, int]:
        """When the newest picture at ``t`` was taken, and its number."""
        for fault in self.faults:
            if fault.kind == "frozen" and fault.start <= t < fault.end:
                t = fault.start
        number = max(0, math.floor(t * self.fps))
        for _ in range(12):
            at = (number - self.jitter * self._random(number, 1)) / self.fps
            if number <= 0 or (at <= t and self._random(number, 2) >= self.dropping):
                return max(0.0, at), number
            number -= 1
        return max(0.0, number / self.fps), number

    def light(self, t: float) -> float:
        """How bright the picture is: switched lights, which the camera makes up for in time, and flicker."""
        level = 1.0 + self.flicker * math.sin(2 * math.pi * self._beat * t)
        for switch in self.switches:
            if t >= switch.t:
                made_up = 0.8 * (1.0 - math.exp(-(t - switch.t) / self._lag))
                level *= switch.factor ** (1.0 - made_up)
        return level

    def offset(self, t: float) -> tuple[float, float]:
        """How far the camera has moved, px of the doubled picture."""
        if not self.shake:
            return 0.0, 0.0
        a, b, c, d = self._shaking.tolist()
        x = math.sin(1.3 * t + a) + 0.5 * math.sin(4.1 * t + b)
        y = math.sin(1.7 * t + c) + 0.5 * math.sin(5.3 * t + d)
        return self.shake * x, self.shake * y

    def develop(self, small: Image, t: float, number: int) -> Image:
        """The camera's picture of ``small`` (height, width, 3)."""
        height, width = small.shape[:2]
        fault = self.fault(t)
        if fault == "black":
            return np.zeros_like(small)
        if fault == "covered":
            light: NDArray[np.float32] = np.broadcast_to(self._hand, small.shape).astype(np.float32)
        else:
            light = cv2.multiply(small, self._map, scale=self.light(t), dtype=cv2.CV_32F).astype(
                np.float32, copy=False
            )
        if self.blur:
            light = cv2.GaussianBlur(light, (0, 0), self.blur).astype(np.float32, copy=False)
        x, y = int(32 * self._random(number, 3)), int(32 * self._random(number, 4))
        noisy = cv2.add(light, self._grain[y : y + height, x : x + width], dtype=cv2.CV_8U)
        out = np.asarray(cv2.LUT(noisy, self._curve), np.uint8)
        if self.grey:
            out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
        if self.quality:
            _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
            out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return out

"""Sizes of the interaction model."""

import math
from dataclasses import dataclass

FRAME_HEIGHT, FRAME_WIDTH, PATCH = 120, 160, 40
PATCHES = (FRAME_HEIGHT // PATCH) * (FRAME_WIDTH // PATCH)


@dataclass(frozen=True)
class ModelConfig:
    """Everything that fixes the network's shape; stored with the weights.

    ``window`` micro-turns are attended to, plus one learned sink. ``text_buckets``
    hash buckets serve typed words, and as many again background words. ``standing_dim``:
    0 for weights that take no standing instructions. ``stem``: sizes of the convolutions that make a
    picture's patches.
    """

    front_end: str
    audio_dim: int
    dmel_dim: int
    decisions: int
    say_tokens: int
    dim: int = 256
    layers: int = 6
    heads: int = 4
    window: int = 256
    state_dim: int = 16
    text_buckets: int = 1024
    text_slots: int = 8
    patch_dim: int = 48
    stem: tuple[int, ...] = (4, 2, 5)
    activity_bins: int = 4
    turn_end_classes: int = 5
    dropout: float = 0.1
    standing_dim: int = 0

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    def __post_init__(self) -> None:
        object.__setattr__(self, "stem", tuple(self.stem))  # JSON makes a list of it
        if math.prod(self.stem) != PATCH:
            raise ValueError("the sizes in stem must multiply to a patch")
        if self.dim % self.heads or self.head_dim % 2:
            raise ValueError("dim must be a multiple of heads, with an even head size")

"""Sizes of the interaction model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelConfig:
    """Everything that fixes the network's shape; stored with the weights.

    ``window`` micro-turns are attended to, plus one learned sink. ``text_buckets``
    hash buckets serve typed words, and as many again background words.
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
    activity_bins: int = 4
    turn_end_classes: int = 5
    dropout: float = 0.1

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    def __post_init__(self) -> None:
        if self.dim % self.heads or self.head_dim % 2:
            raise ValueError("dim must be a multiple of heads, with an even head size")


FRAME_HEIGHT, FRAME_WIDTH, PATCH = 120, 160, 40
PATCHES = (FRAME_HEIGHT // PATCH) * (FRAME_WIDTH // PATCH)

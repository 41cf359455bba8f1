"""Frames as 40x40 patches through a hierarchical stem, patch by patch.

The stem is hMLP (Touvron et al. 2022, arXiv 2203.09795): small strided
convolutions whose kernels never cross a patch border, so each patch is a token
of its own.
"""

import torch
from torch import Tensor, nn

from engine.model.config import PATCHES


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (N, C, H, W), position by position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        return out


class FrameStem(nn.Module):
    """(N, 3, 120, 160) pictures in [-1, 1] to one vector each, (N, dim)."""

    def __init__(self, patch_dim: int, dim: int) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(3, patch_dim // 2, 4, 4),
            ChannelNorm(patch_dim // 2),
            nn.GELU(),
            nn.Conv2d(patch_dim // 2, patch_dim, 2, 2),
            ChannelNorm(patch_dim),
            nn.GELU(),
            nn.Conv2d(patch_dim, patch_dim, 5, 5),
        )
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(PATCHES * patch_dim, dim), nn.LayerNorm(dim))

    def forward(self, frames: Tensor) -> Tensor:
        vectors: Tensor = self.mix(torch.flatten(self.patches(frames), 1))
        return vectors

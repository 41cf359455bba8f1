"""The interaction model: audio, frames, text and own state in, decisions out.

Early fusion: everything a micro-turn brings is embedded and summed into one
position of one sequence. Heads read that position: the decision, the say token
and the delegate flag. Three more are auxiliary tasks and gate nothing: the
projected activity of the user's voice in four bins over the next two seconds
(after Voice Activity Projection, Ekstedt and Skantze 2022, arXiv 2205.09812),
the time to the end of the user's turn in five classes, and whether what the
user has said so far is a complete turn.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.model.config import ModelConfig
from engine.model.transformer import Dropout, StreamingState, Transformer, new_state
from engine.model.vision import FrameStem


@dataclass(frozen=True)
class ModelInputs:
    """A batch of micro-turn sequences.

    ``audio`` (B, T, audio_dim), its first ``dmel_dim`` values the log-mel part;
    ``state`` (B, T, state_dim); ``decision``, ``say`` (B, T): the previous
    micro-turn's tokens; ``text`` (B, T, slots): hashed words, 0 for none;
    ``standing`` (B, T, standing_dim): the standing instructions;
    ``frames`` (N, 3, 120, 160) in [-1, 1]; ``frame_index`` (B, T): row of
    ``frames``, or -1.
    """

    audio: Tensor
    state: Tensor
    decision: Tensor
    say: Tensor
    text: Tensor
    standing: Tensor
    frames: Tensor
    frame_index: Tensor


@dataclass(frozen=True)
class ModelOutputs:
    """Logits: ``decision`` (B, T, 5), ``say`` (B, T, tokens), ``delegate`` (B, T), ``activity`` (B, T, 4).

    ``turn_end`` (B, T, 5): the user's turn is over or nobody's is on, or it ends
    within 0.4, 1.0, 2.0 s, or later; ``complete`` (B, T).
    """

    decision: Tensor
    say: Tensor
    delegate: Tensor
    activity: Tensor
    turn_end: Tensor
    complete: Tensor


class InteractionModel(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.dmel = nn.Linear(config.dmel_dim, dim)
        encoded = config.audio_dim - config.dmel_dim
        self.encoded = nn.Sequential(nn.LayerNorm(encoded), nn.Linear(encoded, dim)) if encoded else None
        self.state = nn.Sequential(nn.Linear(config.state_dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.decision_in = nn.Embedding(config.decisions, dim)
        self.say_in = nn.Embedding(config.say_tokens, dim)
        self.text = nn.EmbeddingBag(2 * config.text_buckets + 1, dim, mode="sum", padding_idx=0)
        standing = config.standing_dim
        self.standing = nn.Linear(standing, dim) if standing else None
        self.stem = FrameStem(config.patch_dim, dim, config.stem)
        self.no_frame = nn.Parameter(torch.zeros(dim))
        self.input_drop = Dropout(config.dropout)
        self.body = Transformer(config)
        self.decision = nn.Linear(dim, config.decisions)
        self.say = nn.Linear(dim, config.say_tokens)
        self.delegate = nn.Linear(dim, 1)
        self.activity = nn.Linear(dim, config.activity_bins)
        self.turn_end = nn.Linear(dim, config.turn_end_classes)
        self.complete = nn.Linear(dim, 1)
        for table in (self.decision_in, self.say_in, self.text):
            nn.init.normal_(table.weight, std=0.02)
        with torch.no_grad():
            self.text.weight[0].zero_()

    def embed(self, x: ModelInputs) -> Tensor:
        """Fuse a batch into (B, T, dim)."""
        audio = self.dmel(x.audio[..., : self.config.dmel_dim])
        if self.encoded is not None:
            audio = audio + self.encoded(x.audio[..., self.config.dmel_dim :])
        seen = self.no_frame.to(audio.dtype).expand_as(audio)
        if len(x.frames):
            vectors = self.stem(x.frames)[x.frame_index.clamp(min=0)]
            seen = torch.where((x.frame_index >= 0)[..., None], vectors.to(audio.dtype), seen)
        words = self.text(x.text.flatten(0, 1)).view(*x.text.shape[:2], -1)
        own = self.state(x.state) + self.decision_in(x.decision) + self.say_in(x.say)
        if self.standing is not None:
            own = own + self.standing(x.standing)
        fused: Tensor = self.input_drop(audio + seen + words + own)
        return fused

    def heads(self, hidden: Tensor) -> ModelOutputs:
        return ModelOutputs(
            decision=self.decision(hidden),
            say=self.say(hidden),
            delegate=self.delegate(hidden)[..., 0],
            activity=self.activity(hidden),
            turn_end=self.turn_end(hidden),
            complete=self.complete(hidden)[..., 0],
        )

    def forward(self, x: ModelInputs) -> ModelOutputs:
        """Whole sequences, for training and offline evaluation."""
        return self.heads(self.body(self.embed(x)))

    def streaming(self, batch: int = 1) -> StreamingState:
        """A fresh KV cache."""
        return new_state(self.config, batch)

    @torch.inference_mode()
    def step(self, x: ModelInputs, state: StreamingState) -> ModelOutputs:
        """One micro-turn (T = 1); ``state`` advances in place."""
        return self.heads(self.body.step(self.embed(x), state))

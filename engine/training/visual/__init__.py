"""The visual simulator: people-like figures in front of cameras, with exact truth for each micro-turn."""

from engine.training.visual.drawing import KINDS, draw_script, with_talks
from engine.training.visual.script import Repetition, Script, Talk
from engine.training.visual.splits import TEST, TRAIN, VALIDATION, Split
from engine.training.visual.stage import Stage
from engine.training.visual.truth import TurnTruth, VisualEvent

__all__ = [
    "KINDS", "TEST", "TRAIN", "VALIDATION", "Repetition", "Script", "Split", "Stage", "Talk", "TurnTruth",
    "VisualEvent", "draw_script", "with_talks",
]  # fmt: skip

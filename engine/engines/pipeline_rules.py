"""The rules of the turn-based engine and its named variants; docs/pipeline.md says why these values."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class PipelineRules:
    """When a cascade takes its turn and when it stops. Times in milliseconds.

    A turn begins with ``min_speech_ms`` of speech at ``vad_threshold``. It ends after ``silence_ms``; with
    ``smart_turn`` instead when, ``smart_turn_wait_ms`` into a silence, that detector gives at least
    ``smart_turn_threshold``, and after ``max_silence_ms`` whatever it gave. Speech over an answer stops it
    after ``barge_in_ms`` without a longer break (``barge_in='vad'``), or when ``min_words`` words are found
    in it, looked for every ``words_every_ms`` (``barge_in='words'``; a turn then needs a word, too).
    """

    vad_threshold: float = 0.5
    min_speech_ms: float = 100.0
    silence_ms: float = 1_000.0
    smart_turn: bool = False
    smart_turn_threshold: float = 0.7
    smart_turn_wait_ms: float = 200.0
    max_silence_ms: float = 1_500.0
    barge_in: Literal["vad", "words"] = "vad"
    barge_in_ms: float = 600.0
    min_words: int = 3
    words_every_ms: float = 200.0


PIPELINES = MappingProxyType(
    {
        "pipeline": PipelineRules(),
        "pipeline-smart-turn": PipelineRules(smart_turn=True),
        "pipeline-words": PipelineRules(barge_in="words"),
        "pipeline-smart-turn-words": PipelineRules(smart_turn=True, barge_in="words"),
    }
)

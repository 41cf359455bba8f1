"""How well and how soon streaming recognition hears: bundled voice with its text, and recordings of people.

python -m tests.bench.bench_recognition [--data FOLDER] [--json FILE] [--split test|validation] [--most N]

``--data`` is a folder of recordings whose names begin with the speaker's number and a hyphen (LibriSpeech);
only the speakers of the split are read: test is divisible by 4, validation is even and not. They have no
transcripts here, so their reference is the same model's best effort: the whole recording, padded to 30 s,
five beams. The word error rate of people is therefore a distance from that, not from the truth.

A chunk counts as received when it has wholly arrived, and takes as long as it took on this computer; chunks
that arrive meanwhile wait. Latencies are from the end (or beginning) of the speech in samples: exact for the
voice, by level for recordings. Word starts of the voice are spread over its phonemes, so they err.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr

from engine.background.recognise import Recogniser, bundled_model, words_of
from engine.background.streaming import Heard, Listener, Listening, Word
from engine.background.transcribe import Transcriber
from engine.types import Samples
from engine.voice import Phrase, Voice

HZ = 16_000
CHUNK = 3_200
TEXTS = Path(__file__).parents[2] / "assets" / "bench" / "texts.json"
BEFORE_S, AFTER_S = 1.0, 2.0
_END_DB = -32.0  # speech of a recording ends where it falls below this, against its loudest tenth of a second


@dataclass(frozen=True)
class Case:
    """One recording at 16 kHz with silence around it; speech from ``start`` to ``end`` seconds.

    ``words``: what is said; ``starts``: the second at which each begins, where it is known.
    """

    name: str
    samples: Samples
    start: float
    end: float
    words: list[str]
    starts: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """What a Listener told about one case: (second at which it was told, state)."""

    told: list[tuple[float, Heard]]
    speech_cpu_s: float
    silence_cpu_s: float
    silent_chunks_ms: list[float]

    def words(self) -> list[Word]:
        """All words of the closed utterances."""
        return [word for _, heard in self.told if heard.closed for word in heard.words]


def errors(truth: Sequence[str], heard: Sequence[str]) -> int:
    """Words to change, add or leave out."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(truth, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def ends(samples: Samples) -> tuple[float, float]:
    """Seconds at which the speech of a recording begins and ends, by its level in steps of 10 ms."""
    level = np.sqrt((samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1))
    loudest = float(np.sort(level)[-10:].mean())
    loud = np.flatnonzero(level > max(loudest * 10 ** (_END_DB / 20), 2 * float(level.min())))
    return float(loud[0]) / 100, float(loud[-1] + 1) / 100


def around(samples: Samples, level: float, seed: int) -> Samples:
    """With a quiet room before and after it."""
    noise = np.random.default_rng(seed).standard_normal(round((BEFORE_S + AFTER_S) * HZ)).astype(np.float32)
    noise *= level
    cut = round(BEFORE_S * HZ)
    return np.concatenate([noise[:cut], samples, noise[cut:]]).astype(np.float32)


def spoken_case(voice: Voice, text: str, seed: int) -> Case:
    """``text`` by the bundled voice, whose own words are the truth."""
    phrase: Phrase = voice.synthesise(text)
    sound = 0.5 * soxr.resample(phrase.samples, 24_000, HZ).astype(np.float32)
    first, last = ends(sound)
    starts = [BEFORE_S + word.start / 24_000 for word in phrase.words]
    # Silence of another length before each, so that ends fall anywhere within a chunk.
    shift = (seed * 37 % 20) / 100
    quiet = 5e-4 * np.random.default_rng(seed).standard_normal(round(shift * HZ)).astype(np.float32)
    return Case(
        text[:40],
        np.concatenate([quiet, around(sound, 5e-4, seed)]).astype(np.float32),
        BEFORE_S + shift + first,
        BEFORE_S + shift + last,
        words_of(text),
        [start + shift for start in starts],
    )


def recorded_case(path: Path, reference: Callable[[Samples], str]) -> Case:
    """A recording of a person."""
    loaded, hz = soundfile.read(path, dtype="float32", always_2d=True)
    samples = soxr.resample(loaded.mean(axis=1), hz, HZ).astype(np.float32)
    first, last = ends(samples)
    floor = float(np.quantile(np.abs(samples), 0.05)) + 2e-4
    quiet = around(samples, floor, 1)
    return Case(path.stem, quiet, BEFORE_S + first, BEFORE_S + last, words_of(reference(samples)))


def best_effort(recogniser: Recogniser) -> Callable[[Samples], str]:
    """The reference of recordings: 30 s of padding, five beams, no voice activity detection."""

    def text(samples: Samples) -> str:
        segments, _ = recogniser._model.transcribe(
            samples, beam_size=5, language="en", condition_on_previous_text=False, without_timestamps=True
        )
        return " ".join(segment.text.strip() for segment in segments)

    return text


def listen(case: Case, transcriber: Transcriber, settings: Listening) -> Run:
    """One case, chunk by chunk."""
    listener = Listener(transcriber, settings)
    told, free, cpu, quiet_cpu, quiet_ms = [], 0.0, 0.0, 0.0, []
    chunks = [case.samples[k : k + CHUNK] for k in range(0, len(case.samples) - CHUNK + 1, CHUNK)]
    for k, chunk in enumerate(chunks):
        began, used = time.perf_counter(), time.process_time()
        heard = listener.hear(k * 0.2, chunk)
        took, used = time.perf_counter() - began, time.process_time() - used
        arrived = 0.2 * (k + 1)
        free = max(free, arrived) + took
        if case.start < arrived < case.end + 0.4:
            cpu += used
        else:
            quiet_cpu += used
            quiet_ms.append(1000 * took)
        if heard is not None:
            told.append((free, heard))
    return Run(told, cpu, quiet_cpu, quiet_ms)


def settled_after(case: Case, run: Run) -> float | None:
    """Seconds from the end of the speech to the text that changed no more; None when nothing was told."""
    ready: float | None = None
    before = -1
    for at, heard in run.told:
        if not heard.settled:
            ready = None
        elif ready is None or heard.revision != before:
            ready = at
        before = heard.revision
    return None if ready is None else ready - case.end


def first_after(case: Case, run: Run) -> float | None:
    """Seconds from the beginning of the speech to the first words."""
    return next((at - case.start for at, heard in run.told if heard.words), None)


def broken_promises(run: Run) -> tuple[int, int]:
    """How many words that were called stable were not in the closed text, of how many there were."""
    final = {heard.utterance: heard.words for _, heard in run.told if heard.closed}
    promised: dict[tuple[int, int], set[str]] = {}
    for _, heard in run.told:
        for k, word in enumerate(heard.words[: heard.stable]):
            promised.setdefault((heard.utterance, k), set()).add(word.text)
    broken = sum(
        texts != {final[number][k].text} if k < len(final.get(number, ())) else True
        for (number, k), texts in promised.items()
    )
    return broken, len(promised)


def word_time_errors(case: Case, run: Run) -> list[float]:
    """Error of each word's beginning where the same words were heard."""
    heard = run.words()
    if not case.starts or [*map(words_of, case.words)] != [words_of(word.text) for word in heard]:
        return []
    return [abs(word.t0 - start) for word, start in zip(heard, case.starts, strict=False)]


def quantiles(values: Sequence[float | None]) -> dict[str, float]:
    known = [value for value in values if value is not None]
    if not known:
        return {}
    p50, p90 = np.quantile(known, [0.5, 0.9])
    return {"p50": round(float(p50), 3), "p90": round(float(p90), 3), "max": round(max(known), 3)}


def measure(cases: Sequence[Case], transcriber: Transcriber, settings: Listening) -> dict[str, object]:
    """All figures of one group of cases."""
    streamed = once = count = broken = promised = missed = 0
    runs: list[tuple[Case, Run]] = []
    times: list[float] = []
    for case in cases:
        run = listen(case, transcriber, settings)
        runs.append((case, run))
        streamed += errors(case.words, [w for word in run.words() for w in words_of(word.text)])
        once += errors(case.words, words_of(transcriber.recognise(case.samples).text))
        count += len(case.words)
        missed += not run.told
        bad, all_of = broken_promises(run)
        broken, promised = broken + bad, promised + all_of
        times += word_time_errors(case, run)
    speech = sum(case.end - case.start for case in cases)
    silent_ms = [ms for _, run in runs for ms in run.silent_chunks_ms]
    return {
        "cases": len(cases),
        "speech_s": round(speech, 1),
        "words": count,
        "wer_streaming": round(streamed / count, 4),
        "wer_one_shot": round(once / count, 4),
        "nothing_heard": missed,
        "settle_s": quantiles([settled_after(case, run) for case, run in runs]),
        "settled_within_300_ms": round(
            float(np.mean([(settled_after(case, run) or 9.0) <= 0.3 for case, run in runs])), 3
        ),
        "first_words_s": quantiles([first_after(case, run) for case, run in runs]),
        "stable_words": promised,
        "stable_changed": round(broken / max(1, promised), 4),
        "word_start_error_s": quantiles(times),
        "compute_per_speech_s": round(sum(run.speech_cpu_s for _, run in runs) / speech, 3),
        "compute_per_silence_s": round(
            sum(run.silence_cpu_s for _, run in runs) / (0.2 * max(1, len(silent_ms))), 4
        ),
        "silent_chunk_ms": quantiles(silent_ms),
    }


def synthetic_cases(split: str, most: int) -> list[Case]:
    """Single sentences."""
    voice = Voice()
    texts = json.loads(TEXTS.read_text())[split]
    picked = [text for kind in ("request", "statement") for text in texts[kind][: most // 2]]
    return [spoken_case(voice, text, seed) for seed, text in enumerate(picked)]


def long_case(split: str) -> Case:
    """About a minute of sentences, one after the other."""
    voice = Voice()
    texts = json.loads(TEXTS.read_text())[split]["statement"]
    parts = [spoken_case(voice, text, 0) for text in texts]
    cut = round(BEFORE_S * HZ)
    speech = [part.samples[cut : len(part.samples) - round(1.85 * HZ)] for part in parts]
    kept, total = [], 0
    while speech and total < 60 * HZ:
        kept.append(speech.pop(0))
        total += len(kept[-1])
    words = [word for part in parts[: len(kept)] for word in part.words]
    joined = np.concatenate(kept)
    first, last = ends(joined)
    return Case("a minute", around(joined, 5e-4, 3), BEFORE_S + first, BEFORE_S + last, words)


def recorded_cases(folder: Path, split: str, most: int, recogniser: Recogniser) -> list[Case]:
    """Recordings of the split's speakers."""
    rest = {"test": 0, "validation": 2}[split]
    paths = [
        path
        for path in sorted(folder.iterdir())
        if path.name.split("-")[0].isdigit() and int(path.name.split("-")[0]) % 4 == rest
    ]
    reference = best_effort(recogniser)
    return [recorded_case(path, reference) for path in paths[:: max(1, len(paths) // most)][:most]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of recordings of people")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--most", type=int, default=60, help="cases of each kind")
    arguments = parser.parse_args()
    transcriber = Transcriber(bundled_model(), 1)
    transcriber.warm_up()
    groups = {
        "synthetic": synthetic_cases(arguments.split, arguments.most),
        "a minute without pauses": [long_case(arguments.split)],
    }
    if arguments.data:
        groups["people"] = recorded_cases(arguments.data, arguments.split, arguments.most, transcriber)
    figures = {name: measure(cases, transcriber, Listening()) for name, cases in groups.items()}
    for name, rows in figures.items():
        for row, value in rows.items():
            print(f"{name:24} {row:24} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

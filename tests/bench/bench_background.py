"""How quick and how heavy the background process is, and how little it disturbs the engine.

python -m tests.bench.bench_background [--speech FOLDER_OF_AUDIO] [--cache FOLDER] [--threads N]

Prints a table, then one line of JSON. A fresh ``--cache`` includes the first conversion.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import psutil
import soundfile
import soxr

from engine.background.client import BackgroundClient
from engine.background.settings import BackgroundSettings
from engine.events import BackgroundEvent
from engine.types import Samples

HZ = 16_000
QUESTIONS = (
    "What is the capital of France?",
    "How many legs does a spider have?",
    "Why is the sky blue?",
    "What is the largest planet in our solar system?",
    "Who wrote Romeo and Juliet?",
    "How do I boil an egg?",
    "Can you explain how rainbows form?",
    "What should I cook tonight?",
    "Thank you very much.",
    "Where do penguins live?",
)
NONE = np.zeros(0, np.float32)
TRANSCRIPT_CHARS = 110


def ready(settings: BackgroundSettings) -> tuple[BackgroundClient, float]:
    client = BackgroundClient(settings)
    began = time.perf_counter()
    client.start()
    if not client.wait_ready(180):
        client.stop()
        sys.exit(f"not ready: {client.status.text}")
    return client, time.perf_counter() - began


def finish(client: BackgroundClient, job: int) -> list[BackgroundEvent]:
    events: list[BackgroundEvent] = []
    while not events or events[-1].event not in ("answer", "failed", "cancelled"):
        events += [event for event in client.poll(1e9) if event.id == job]
        time.sleep(0.002)
    return events


def resident_mb(client: BackgroundClient) -> float:
    return float(psutil.Process(client.pid).memory_info().rss) / 1e6


def spoken_questions() -> list[Samples]:
    voice = import_module("hibari").Hibari()
    silence = np.zeros(HZ, np.float32)
    return [
        np.concatenate((silence, soxr.resample(voice(q, seed=0), 24_000, HZ))).astype(np.float32)
        for q in QUESTIONS
    ]


def recordings(folder: Path, count: int) -> list[Samples]:
    """The first 5 s of every n-th recording."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".ogg", ".wav", ".flac"))
    found = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        samples, hz = soundfile.read(path, dtype="float32", always_2d=True)
        found.append(soxr.resample(samples.mean(axis=1), hz, HZ)[: 5 * HZ].astype(np.float32))
    return found


def run(client: BackgroundClient, requests: list[Samples], show: bool) -> dict[str, float]:
    """Submit each request alone; medians over the requests, in seconds."""
    recognise, first, ends, rates, padded = [], [], [], [], 0
    for audio in requests:
        events = finish(client, client.submit(0.0, audio, "", (), None))
        heard = next((e for e in events if e.detail.get("role") == "request"), None)
        words = [e for e in events if e.detail.get("role") == "answer"]
        end = events[-1]
        if heard is None or not words:
            continue
        recognise.append(float(heard.detail["recognise_s"]))
        padded += bool(heard.detail["padded"])
        first.append(words[0].t)
        ends.append(end.t)
        rates.append(
            (end.detail["pieces"] - 1) / max(1e-3, end.detail["answer_s"] - end.detail["first_word_s"])
        )
        if show:
            print(f"  {heard.text[:TRANSCRIPT_CHARS]!r} -> {end.text[:TRANSCRIPT_CHARS]!r}")
    return {
        "requests": len(first),
        "recognise_s": statistics.median(recognise),
        "padded": padded,
        "first_word_s": statistics.median(first),
        "first_word_p90_s": float(np.quantile(first, 0.9)),
        "end_s": statistics.median(ends),
        "tokens_per_s": statistics.median(rates),
    }


def disturbance(client: BackgroundClient) -> dict[str, float]:
    """Time of one fixed computation a micro-turn, beside an idle and beside a busy worker, in ms."""
    values = np.linspace(-3, 3, 100_000)

    def turn() -> float:
        began = time.perf_counter()
        for _ in range(20):
            np.tanh(values)
        return 1000 * (time.perf_counter() - began)

    def turns(count: int, each: Callable[[], object]) -> list[float]:
        times = []
        for _ in range(count):
            each()
            times.append(turn())
            time.sleep(0.05)
        return times

    idle = turns(60, lambda: None)
    busy = turns(60, lambda: client.submit(0.0, NONE, "Why is the sky blue?", (), None))
    return {
        "idle_ms": statistics.median(idle),
        "busy_ms": statistics.median(busy),
        "idle_p95_ms": float(np.quantile(idle, 0.95)),
        "busy_p95_ms": float(np.quantile(busy, 0.95)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, help="folder of recordings of people")
    parser.add_argument("--cache", type=Path, help="folder of the converted model (default: a fresh one)")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        settings = BackgroundSettings(cache_dir=str(arguments.cache or fresh), threads=arguments.threads)
        client, cold_s = ready(settings)
        client.stop()
        client, warm_s = ready(settings)
        figures: dict[str, object] = {
            "first_start_s": cold_s,
            "start_s": warm_s,
            "rss_ready_mb": resident_mb(client),
        }
        try:
            figures["synthetic"] = run(client, spoken_questions(), show=True)
            if arguments.speech:
                figures["people"] = run(client, recordings(arguments.speech, 20), show=True)
            figures["rss_used_mb"] = resident_mb(client)
            figures["disturbance"] = disturbance(client)
            while len(client.poll(1e9)) > 0:
                time.sleep(3)
            psutil.Process(client.pid).kill()
            began = time.perf_counter()
            finish(client, client.submit(0.0, NONE, "Hello.", (), None))
            figures["answer_after_kill_s"] = time.perf_counter() - began
        finally:
            began = time.perf_counter()
            client.stop()
            figures["stop_s"] = time.perf_counter() - began
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for field, number in rows:
            print(f"{name:22} {field:18} {number:10.3f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

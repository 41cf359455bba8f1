"""How quick and how heavy the background process is, and how little it disturbs the engine.

python -m tests.bench.bench_background [--speech FOLDER_OF_AUDIO] [--cache FOLDER] [--threads N] [--kills N]

Prints a table, then one line of JSON. A fresh ``--cache`` includes the first conversion.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import psutil
import soundfile
import soxr

from engine.background.client import BackgroundClient
from engine.background.settings import BackgroundSettings
from engine.background.store import Store
from engine.config import CHUNK_S, INPUT_CHUNK, EngineConfig
from engine.engines.registry import make_engine
from engine.events import BackgroundEvent
from engine.handover import HandOver
from engine.types import MicroTurn, Samples, SelfState

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
BLOCK_TURNS = 50
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
        new = client.poll(1e9)
        events += [event for event in new if isinstance(event, BackgroundEvent) and event.id == job]
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
        events = finish(client, client.submit(0.0, HandOver(audio=audio), None))
        heard = next((e for e in events if e.detail.get("role") == "request"), None)
        words = [e for e in events if e.detail.get("role") == "answer"]
        end = events[-1]
        if heard is None or not words:
            continue
        recognise.append(float(heard.detail["recognise_s"]))
        padded += bool(heard.detail.get("padded"))
        first.append(words[0].t)
        ends.append(end.t)
        if "pieces" in end.detail:
            took = end.detail["answer_s"] - end.detail["first_word_s"]
            rates.append((end.detail["pieces"] - 1) / max(1e-3, took))
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


def disturbance(client: BackgroundClient, blocks: int) -> dict[str, float]:
    """The interaction model's time a micro-turn beside an idle and beside a busy worker, in ms.

    Blocks of 10 s take turns. Busy means that somebody speaks all the time, so that hearing and thinking
    ahead never rest, while requests for the language model are open.
    """
    engine = make_engine(EngineConfig())
    engine.warm_up()
    engine.reset(0)
    speech = np.concatenate(spoken_questions())
    idle: list[float] = []
    busy: list[float] = []
    index = 0
    for block in range(2 * blocks):
        times = busy if block % 2 else idle
        began = time.perf_counter()
        for step in range(BLOCK_TURNS):
            start = index * INPUT_CHUNK % (len(speech) - INPUT_CHUNK)
            chunk = speech[start : start + INPUT_CHUNK]
            if block % 2:
                client.hear(index, chunk, index * CHUNK_S, 0.0)
                if step % 10 == 0:
                    client.submit(index * CHUNK_S, HandOver(text="Why is the sky blue?"), None)
            client.poll(1e9)
            before = time.perf_counter()
            engine.step(MicroTurn(index, chunk, SelfState()))
            times.append(1000 * (time.perf_counter() - before))
            index += 1
            time.sleep(max(0.0, began + (step + 1) * CHUNK_S - time.perf_counter()))
        while client.busy:
            client.poll(1e9)
            time.sleep(0.05)
    return {
        "idle_ms": statistics.median(idle),
        "busy_ms": statistics.median(busy),
        "idle_p99_ms": float(np.quantile(idle, 0.99)),
        "busy_p99_ms": float(np.quantile(busy, 0.99)),
        "p99_ratio": float(np.quantile(busy, 0.99) / np.quantile(idle, 0.99)),
    }


def kills(client: BackgroundClient, count: int, store: Path) -> dict[str, float]:
    """SIGKILL the worker at random moments of its work, each second time with a note to keep."""
    rng = random.Random(0)
    back: list[float] = []
    asked = answered = 0
    for number in range(count):
        client.wait_ready(30)
        what = f"take a note: number {number} of the list" if number % 2 else "Why is the sky blue?"
        job = client.submit(0.0, HandOver(text=what), None)
        asked += 1
        time.sleep(rng.uniform(0.0, 0.35))
        pid = client.pid
        if pid is not None:
            psutil.Process(pid).kill()
        began = time.perf_counter()
        end = finish(client, job)[-1]
        answered += end.event == "answer"
        finish(client, client.submit(0.0, HandOver(text="What is 2 plus 2?"), None))
        back.append(time.perf_counter() - began)
    return {
        "kills": count,
        "answered": answered,
        "asked": asked,
        "back_median_s": statistics.median(back),
        "back_max_s": max(back),
        "notes_wanted": count // 2,
        "notes_kept": len(Store(store).notes()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, help="folder of recordings of people")
    parser.add_argument("--cache", type=Path, help="folder of the converted model (default: a fresh one)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=6, help="of 10 s each, idle and busy in turn")
    parser.add_argument("--kills", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        settings = BackgroundSettings(
            cache_dir=str(arguments.cache or fresh),
            threads=arguments.threads,
            store=str(Path(fresh) / "mind.sqlite"),
            config_dir=fresh,
            discover=False,
        )
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
            figures["disturbance"] = disturbance(client, arguments.blocks)
            figures["kills"] = kills(client, arguments.kills, Path(settings.store))
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

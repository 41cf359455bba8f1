"""How soon the answer itself is heard after a question, not the bridge before it.

python -m tests.bench.bench_answers [--voices N] [--only tool|model|server] [--json FILE]

Each question is spoken by several synthetic voices into a session of its own kind: the whole engine with the
bundled interaction model, the real background process, on the simulated clock of a fast replay, which counts
the measured computing time of both. The time runs from the last sound of the question to the first sound
of the answer's first word. ``server`` answers by a local stub with 50 ms a token.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from engine.background.desk import NOTHING
from engine.bench.said import words
from engine.config import INPUT_HZ
from engine.events import BackgroundEvent, Event, TurnRecord
from engine.replay import run_replay
from engine.training.acoustics import coloured_noise
from engine.types import Samples
from tests.bench.voices import Speaker, speakers
from tests.fake_openai import FakeOpenAI, saying

GAP_S = 9.0
LEAD_S = 1.5
TOOL_QUESTIONS = (
    "What is twelve times seven?",
    "How many feet are in a mile?",
    "What is the capital of Peru?",
    "What time is it in Tokyo?",
    "What day of the week is it today?",
    "What is fifteen percent of eighty?",
    "What does the word frugal mean?",
    "Set a timer for twenty minutes.",
    "Add milk to my shopping list.",
    "How many days are there until Christmas?",
)
MODEL_QUESTIONS = (
    "Why is the sky blue?",
    "How do bees make honey?",
    "What should I cook tonight?",
    "How do I boil an egg?",
    "Who wrote Romeo and Juliet?",
    "Why do cats purr?",
    "What is a good name for a dog?",
    "How do volcanoes work?",
    "Why is the sea salty?",
    "What can I do on a rainy day?",
)
ANSWER = " ".join(
    ["This", "is", "what", "I", "found", "out", "about", "it,", "and", "I", "hope", "it", "helps."]
)


@dataclass(frozen=True)
class Asked:
    """One question in a session: when its last sound was, and what became of it, in seconds after that."""

    text: str
    end: float
    first_sound: float | None
    content: float | None
    heard: str
    thought_ahead: bool


def session_audio(texts: tuple[str, ...], speaker: Speaker, seed: int) -> tuple[Samples, list[float]]:
    """The questions with pauses between, and when each ended."""
    rng = np.random.default_rng(seed)
    pieces: list[Samples] = [np.zeros(round(LEAD_S * INPUT_HZ), np.float32)]
    ends, length = [], len(pieces[0])
    for text in texts:
        sound = speaker.say(text)
        gap = np.zeros(round((GAP_S + rng.uniform(0, 0.4)) * INPUT_HZ), np.float32)
        ends.append((length + len(sound)) / INPUT_HZ)
        pieces += [sound, gap]
        length += len(sound) + len(gap)
    audio = np.concatenate(pieces)
    return (audio + 0.0008 * coloured_noise(rng, len(audio), 1.0)).astype(np.float32), ends


def ask(texts: tuple[str, ...], speaker: Speaker, seed: int) -> tuple[list[Asked], int]:
    """Play the questions to the whole engine; also how often silence was handed over as a request."""
    audio, ends = session_audio(texts, speaker, seed)
    events: list[Event] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.flac"
        soundfile.write(path, audio, INPUT_HZ)
        run_replay(str(path), Path(folder) / "session", on_event=events.append)
    idle = [e for e in events if isinstance(e, BackgroundEvent) and e.detail.get("reason") == NOTHING]
    return list(measured(texts, ends, events)), len(idle)


def measured(texts: tuple[str, ...], ends: list[float], events: list[Event]) -> Iterator[Asked]:
    """What followed each question."""
    said = words([event for event in events if isinstance(event, TurnRecord)])
    jobs = [event for event in events if isinstance(event, BackgroundEvent)]
    for text, end, limit in zip(texts, ends, [*ends[1:], float("inf")], strict=True):
        after = [word for word in said if end - 0.3 <= word.t < min(limit, end + GAP_S + 4)]
        asked = [job for job in jobs if job.event == "asked" and end - 0.3 <= job.t < limit]
        heard = [
            job.text for job in jobs if job.detail.get("role") == "request" and end - 0.3 <= job.t < limit
        ]
        content = next((word.t - end for word in after if not word.own), None)
        first = after[0].t - end if after else None
        ahead = any(job.detail.get("thought_ahead") for job in asked)
        yield Asked(text, end, first, content, heard[0] if heard else "", ahead)


def report(name: str, sessions: list[tuple[list[Asked], int]]) -> dict[str, float]:
    """Print the figures of one kind of question."""
    found = [each for asked, _ in sessions for each in asked]
    content = [each.content for each in found if each.content is not None]
    first = [each.first_sound for each in found if each.first_sound is not None]
    figures = {
        "asked": len(found),
        "answered": len(content),
        "content_median_s": statistics.median(content) if content else float("nan"),
        "content_p90_s": float(np.quantile(content, 0.9)) if content else float("nan"),
        "first_sound_median_s": statistics.median(first) if first else float("nan"),
        "thought_ahead": sum(each.thought_ahead for each in found),
        "silence_handed_over": sum(idle for _, idle in sessions),
    }
    for each in found:
        when = "never" if each.content is None else f"{each.content:5.2f}"
        print(
            f"  {when} {'*' if each.thought_ahead else ' '} {each.text} -> heard {each.heard!r}",
            file=sys.stderr,
        )
    print(name, json.dumps({key: round(value, 3) for key, value in figures.items()}))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--voices", type=int, default=4)
    parser.add_argument("--only", choices=("tool", "model", "server"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["MICROTURN_DISCOVER"] = "0"
    figures = {}
    for kind, texts in (("tool", TOOL_QUESTIONS), ("model", MODEL_QUESTIONS), ("server", MODEL_QUESTIONS)):
        if arguments.only not in (None, kind):
            continue
        pieces = [f"{word} " for word in ANSWER.split()]
        with FakeOpenAI(saying(*pieces, pause_s=0.05)) as server:
            os.environ["MICROTURN_BASE_URL"] = server.base_url if kind == "server" else ""
            sessions = [
                ask(texts, speaker, number) for number, speaker in enumerate(speakers(arguments.voices))
            ]
        figures[kind] = report(kind, sessions)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

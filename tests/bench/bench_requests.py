"""How many of the scripted requests with exact answers are answered right, typed and spoken.

python -m tests.bench.bench_requests [--typed] [--spoken] [--voices N] [--show] [--json FILE]

Requests lie in requests_*.json: dialogues of turns, each with what is said and a regular expression that the
answer must match. Each dialogue gets a background process of its own with an empty store; the clock stands at
10:00 on Monday, 23 November 2026 in London. Spoken requests are said by voices that no training has heard, go
to the process chunk by chunk as from the microphone, and are handed over 0.4 s after their end.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from engine.background.client import BackgroundClient
from engine.background.settings import BackgroundSettings
from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ
from engine.events import BackgroundEvent, Transcript
from engine.handover import HandOver, Line
from engine.types import Samples
from tests.bench.voices import Speaker, speakers

HERE = Path(__file__).parent
ZONE = "Europe/London"
START = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo(ZONE)).timestamp()
ENDS = ("answer", "failed", "cancelled")
AFTER_S = 0.4
BETWEEN_S = 1.6


@dataclass(frozen=True)
class Turn:
    """``expect``: a regular expression for the whole answer, whatever its case."""

    say: str
    expect: str


@dataclass(frozen=True)
class Dialogue:
    name: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Result:
    """One turn as it went; ``heard`` is what was recognised, or the typed text."""

    dialogue: str
    turn: Turn
    voice: str
    heard: str
    answer: str

    @property
    def right(self) -> bool:
        return bool(re.search(self.turn.expect, self.answer, re.IGNORECASE))


def dialogues() -> list[Dialogue]:
    """All scripted dialogues."""
    found = []
    for path in sorted(HERE.glob("requests_*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8")):
            turns = tuple(Turn(turn["say"], turn["expect"]) for turn in entry["turns"])
            found.append(Dialogue(entry["name"], turns))
    return found


class Table:
    """One background process and one person talking to it. A context manager."""

    def __init__(self, simulated: bool) -> None:
        self._folder = tempfile.TemporaryDirectory()
        store = str(Path(self._folder.name) / "mind.sqlite")
        settings = BackgroundSettings(discover=False, store=store, wall_start=START, zone=ZONE)
        self._client = BackgroundClient(replace(settings, config_dir=self._folder.name), simulated=simulated)
        self._index = 0
        self._lines: list[Line] = []

    def __enter__(self) -> Self:
        self._client.start()
        if not self._client.wait_ready(120):
            sys.exit(f"not ready: {self._client.status.text}")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop()
        self._folder.cleanup()

    def typed(self, text: str) -> tuple[str, str]:
        """What was understood, and the answer."""
        self._index += 10
        return text, self._answer(HandOver(text=text, lines=tuple(self._lines)), text)

    def spoken(self, sound: Samples) -> tuple[str, str]:
        """As ``typed``, for speech of 16 kHz."""
        rng = np.random.default_rng(self._index)
        lead, tail = round(0.3 * INPUT_HZ), round(AFTER_S * INPUT_HZ)
        audio = np.concatenate((np.zeros(lead, np.float32), sound, np.zeros(tail, np.float32)))
        audio = np.pad(audio, (0, -len(audio) % INPUT_CHUNK)).astype(np.float32)
        audio += 0.0005 * rng.standard_normal(len(audio)).astype(np.float32)
        since = self._t
        for start in range(0, len(audio), INPUT_CHUNK):
            self._hear(audio[start : start + INPUT_CHUNK], since)
        package = HandOver(since, self._t, since, audio, lines=tuple(self._lines))
        return self._heard_and_answer(package)

    @property
    def _t(self) -> float:
        return self._index * CHUNK_S

    def _hear(self, chunk: Samples, since: float) -> None:
        self._client.wait_until(self._t + CHUNK_S)
        self._client.hear(self._index, chunk, self._t + CHUNK_S, since)
        self._index += 1

    def _heard_and_answer(self, package: HandOver) -> tuple[str, str]:
        answer = self._answer(package, "")
        heard = next((line.text for line in reversed(self._lines) if line.speaker == "user"), "")
        for _ in range(round(BETWEEN_S / CHUNK_S)):
            self._hear(np.zeros(INPUT_CHUNK, np.float32), self._t)
        return heard, answer

    def _answer(self, package: HandOver, typed: str) -> str:
        """Hand a request over and wait for its end."""
        job = self._client.submit(self._t, package, None)
        words: list[str] = []
        deadline = time.monotonic() + 60
        user = typed
        while time.monotonic() < deadline:
            for event in self._client.poll(1e9):
                if isinstance(event, Transcript):
                    user = event.text
                if not isinstance(event, BackgroundEvent) or event.id != job:
                    continue
                if event.detail.get("role") == "answer":
                    words.append(event.text)
                if event.event in ENDS:
                    answer = " ".join(words) if words else event.text
                    said = (("user", user), ("assistant", answer))
                    self._lines += [Line(who, text, self._t, self._t) for who, text in said]
                    return answer
            time.sleep(0.002)
        return "no answer"


def run_typed(every: list[Dialogue]) -> Iterator[Result]:
    """All dialogues, typed."""
    for dialogue in every:
        with Table(simulated=False) as table:
            for turn in dialogue.turns:
                yield Result(dialogue.name, turn, "typed", *table.typed(turn.say))


def run_spoken(every: list[Dialogue], voices: list[Speaker]) -> Iterator[Result]:
    """All dialogues, the voices taking turns."""
    for number, dialogue in enumerate(every):
        voice = voices[number % len(voices)]
        with Table(simulated=True) as table:
            for turn in dialogue.turns:
                yield Result(dialogue.name, turn, voice.name, *table.spoken(voice.say(turn.say)))


def report(name: str, results: Iterator[Result], show: bool) -> dict[str, float]:
    """Print the wrong ones and the share of the right ones."""
    found = []
    for result in results:
        found.append(result)
        if show or not result.right:
            mark = "right" if result.right else "WRONG"
            print(f"  {mark} [{result.voice}] {result.turn.say!r} as {result.heard!r} -> {result.answer!r}")
    right = sum(result.right for result in found)
    figures = {"requests": len(found), "right": right, "share": right / max(1, len(found))}
    for voice in sorted({result.voice for result in found}):
        own = [result.right for result in found if result.voice == voice]
        figures[f"{voice}"] = sum(own) / len(own)
    print(name, json.dumps({key: round(value, 3) for key, value in figures.items()}), flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--typed", action="store_true", help="typed requests only")
    parser.add_argument("--spoken", action="store_true", help="spoken requests only")
    parser.add_argument("--voices", type=int, default=6)
    parser.add_argument("--every", type=int, default=1, help="take each n-th dialogue")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    every = dialogues()[:: arguments.every]
    figures = {}
    if not arguments.spoken:
        figures["typed"] = report("typed", run_typed(every), arguments.show)
    if not arguments.typed:
        figures["spoken"] = report("spoken", run_spoken(every, speakers(arguments.voices)), arguments.show)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

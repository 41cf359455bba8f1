"""What simulated people say: a grammar of requests, and turns of real written dialogue."""

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from engine.training import phrases

Rng = np.random.Generator


def fill(template: str, rng: Rng) -> str:
    """A template with its slots filled at random."""
    return re.sub(r"\{(\w+)\}", lambda m: str(rng.choice(phrases.WORDS[m.group(1)])), template)


@dataclass(frozen=True)
class Line:
    """One thing to say. ``kind``: request, statement, aside, opener, barge_in, stop or backchannel.

    ``parts``: the pieces it is spoken in, where the text fixes them.
    """

    kind: str
    text: str
    parts: tuple[str, ...] = ()


@cache
def dialogue_turns(path: Path) -> tuple[str, ...]:
    """Clean turns of 2 to 28 words of the Self-dialogue Corpus; empty when the file is not there."""
    if not path.exists():
        return ()
    turns: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            for turn in json.loads(line)["turns"]:
                text = re.sub(r"\s+", " ", turn).strip()
                if not 2 <= len(text.split()) <= 28 or not re.fullmatch(r"[A-Za-z0-9 ,.?!'\-]+", text):
                    continue
                turns.append(text if text[-1] in ".?!" else text + ".")
    return tuple(turns)


def is_test_dialogue(index: int) -> bool:
    """Every tenth dialogue turn is kept out of training."""
    return index % 10 == 0


def make_line(rng: Rng, dialogue: tuple[str, ...]) -> Line:
    """One line from the mix that the clip pool is made of; test dialogue turns are never used."""
    kind = str(
        rng.choice(
            ["request", "short", "dialogue", "repair", "aside", "opener", "barge_in", "stop", "backchannel"],
            p=[0.20, 0.13, 0.33, 0.05, 0.09, 0.04, 0.05, 0.03, 0.08],
        )
    )
    if kind == "repair":
        return make_repair(rng)
    if kind == "dialogue" and dialogue:
        index = int(rng.integers(len(dialogue)))
        index += is_test_dialogue(index)
        text = one_sentence(dialogue[index % len(dialogue)], rng)
        return Line("request" if text.endswith("?") else "statement", text)
    if kind == "dialogue":
        return Line("statement", fill(str(rng.choice(phrases.STATEMENTS)), rng))
    if kind == "aside":
        return Line(kind, fill(str(rng.choice(phrases.ASIDES)), rng))
    if kind == "short":
        text = fill(str(rng.choice(phrases.SHORT)), rng)
        return Line("request", text[0].upper() + text[1:])
    if kind == "stop":
        return Line(kind, str(rng.choice(phrases.STOPS)))
    if kind == "opener":
        return Line(kind, fill(str(rng.choice(phrases.OPENERS)), rng))
    if kind == "backchannel":
        return Line(kind, str(rng.choice(phrases.BACKCHANNEL_TEXTS)))
    request = fill(str(rng.choice(phrases.REQUESTS)), rng)
    if kind == "barge_in":
        return Line(kind, f"{rng.choice(phrases.BARGE)} {request[0].lower()}{request[1:]}")
    return Line("request", request)


def one_sentence(turn: str, rng: Rng) -> str:
    """Mostly one sentence of a turn: after the first of several nobody could tell whether more will come."""
    sentences = [s for s in re.split(r"(?<=[.?!]) +", turn) if len(s.split()) > 1]
    return str(rng.choice(sentences)) if sentences and rng.random() < 0.8 else turn


def make_repair(rng: Rng) -> Line:
    """A request whose speaker corrects a word: "Remind me on Tues-, no, Thursday to call Anna."."""
    while True:
        template = str(rng.choice(phrases.REQUESTS))
        slots = [m for m in re.finditer(r"\{(\w+)\}", template) if m.start() > 0]
        if slots:
            break
    slot = slots[int(rng.integers(len(slots)))]
    wrong, right = (str(w) for w in rng.choice(phrases.WORDS[slot.group(1)], size=2, replace=False))
    if rng.random() < 0.5 and len(wrong.split()[-1]) > 4:
        wrong = wrong[: -(len(wrong.split()[-1]) // 2)] + "-"
    first = fill(template[: slot.start()], rng) + wrong
    second = f"{rng.choice(phrases.REPAIRS)} {right}{fill(template[slot.end() :], rng)}"
    return Line("request", f"{first} {second}", (first, second))


def answer_text(rng: Rng, dialogue: tuple[str, ...]) -> str:
    """Words a background model might answer with: one to four sentences."""
    if not dialogue:
        return fill("The answer is {n}. You can take {thing} to {place} on {day}, if you like.", rng)
    count = int(rng.choice([1, 2, 3, 4], p=[0.45, 0.3, 0.15, 0.10]))
    return " ".join(dialogue[int(rng.integers(len(dialogue)))] for _ in range(count))


def reminder_text(rng: Rng) -> str:
    return fill(str(rng.choice(phrases.REMINDERS)), rng)

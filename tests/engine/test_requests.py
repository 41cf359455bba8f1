"""The scripted requests with exact answers, typed: understood, and answered by the real tools."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.background.store import Store
from engine.background.tools.tool import ToolContext, ToolError
from engine.background.understanding.understand import Exchange, all_tools, understand

BENCH = Path(__file__).parents[1] / "bench"
START = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Europe/London"))
DIALOGUES = [
    entry
    for path in sorted(BENCH.glob("requests_*.json"))
    for entry in json.loads(path.read_text(encoding="utf-8"))
]
WANTED = 0.95


def play(turns: list[dict[str, str]]) -> list[str]:
    """The turns of one dialogue that were answered wrong, each with its answer."""
    store, earlier, now, wrong = Store(None), list[Exchange](), START, []
    for turn in turns:
        call = understand(turn["say"], earlier, now)
        answer = ""
        if call is not None:
            try:
                answer = all_tools()[call.tool].run(call.arguments, ToolContext(now, store)).say
            except ToolError as failure:
                answer = str(failure)
        if not re.search(turn["expect"], answer, re.IGNORECASE):
            wrong.append(f"{turn['say']} -> {answer}")
        earlier.append(Exchange(turn["say"], call))
        now += timedelta(seconds=1)
    store.close()
    return wrong


def test_there_are_enough_and_each_says_what_it_wants() -> None:
    turns = [turn for entry in DIALOGUES for turn in entry["turns"]]
    assert len(turns) >= 200
    assert not [turn for turn in turns if re.search(turn["expect"], "")]


@pytest.mark.slow
def test_typed_requests_are_answered_right() -> None:
    wrong = [each for entry in DIALOGUES for each in play(entry["turns"])]
    asked = sum(len(entry["turns"]) for entry in DIALOGUES)
    assert 1 - len(wrong) / asked >= WANTED, wrong

"""One whole conversation with the assistant, to be read: mixed requests, corrections, a reminder, a barge-in.

python -m tests.bench.bench_conversation [--voice N] [--server] [--out DIR]

A held-out voice says the script at fixed times to the whole engine with the real background process, on the
simulated clock of a fast replay. Prints who said what when, and what is missing of what had to be said.
"""

import argparse
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from engine.config import INPUT_HZ
from engine.events import BackgroundEvent, Event, Fault, Transcript, event_time
from engine.replay import run_replay
from engine.training.acoustics import coloured_noise
from tests.bench.voices import speakers
from tests.fake_openai import FakeOpenAI, saying

STUB = "Sunlight is scattered by the air, and blue light the most, so it reaches us from everywhere."


@dataclass(frozen=True)
class Say:
    """What the person says at session second ``t``, and what has to be said about it before the next line."""

    t: float
    text: str
    expect: str


SCRIPT = (
    Say(1.5, "What is fifteen percent of eighty?", r"\b12\b"),
    Say(9.0, "Set a timer for ten minutes.", r"10 minutes"),
    Say(17.0, "No, make it five minutes.", r"\b5 minutes"),
    Say(25.0, "Remind me in thirty seconds to drink some water.", r"drink some water"),
    Say(
        35.0,
        "Remind me to call Anna on Wednesday at five.",
        r"call anna.*(wednesday|tomorrow)|(wednesday|tomorrow).*call anna",
    ),
    Say(45.0, "No, Thursday.", r"thursday.*5|5.*thursday"),
    Say(55.0, "What time is it in Tokyo?", r"tokyo"),
    Say(68.0, "Why is the sky blue?", r"sky|light"),
    Say(72.6, "Wait, stop. What is the capital of France?", r"paris"),
    Say(83.0, "And what about Spain?", r"madrid"),
    Say(91.0, "Add milk and eggs to my shopping list.", r"milk and eggs"),
    Say(100.0, "Also add some bread.", r"bread"),
)
LENGTH_S = 112.0
REMINDER = r"drink some water"
REMINDER_FROM_S, REMINDER_TO_S = 55.0, 66.0


def play(voice: int, out: Path) -> list[Event]:
    """Replay the script and give what happened."""
    speaker = speakers(20)[voice]
    audio = 0.0008 * coloured_noise(np.random.default_rng(voice), round(LENGTH_S * INPUT_HZ), 1.0)
    for line in SCRIPT:
        sound = speaker.say(line.text)
        start = round(line.t * INPUT_HZ)
        audio[start : start + len(sound)] += sound
    path = out / "person.flac"
    soundfile.write(path, audio.astype(np.float32), INPUT_HZ)
    events: list[Event] = []
    print(f"voice: {speaker.name}")
    run_replay(str(path), out / "session", on_event=events.append)
    return events


def show(events: list[Event]) -> None:
    """The conversation as a script."""
    for event in sorted(events, key=event_time):
        if isinstance(event, Transcript):
            cut = f"   [unheard: {event.unheard}]" if event.unheard else ""
            print(f"{event.t0:7.2f}-{event.t1:6.2f} {event.speaker:9} {event.text}{cut}")
        elif isinstance(event, BackgroundEvent) and event.event != "partial":
            about = event.detail.get("reason") or event.detail.get("advice") or ""
            print(f"{event.t:7.2f}         job {event.id} {event.event} {event.text[:80]} {about}")
        elif isinstance(event, Fault):
            print(f"{event.t:7.2f}         FAULT {event.what}")


def missing(events: list[Event]) -> list[str]:
    """Lines whose answer was not heard in time."""
    said = [e for e in events if isinstance(e, Transcript) and e.speaker == "assistant"]
    wanted = [
        (line.text, line.expect, line.t, following.t if following else LENGTH_S)
        for line, following in zip(SCRIPT, [*SCRIPT[1:], None], strict=True)
    ]
    wanted.append(("the reminder", REMINDER, REMINDER_FROM_S, REMINDER_TO_S))
    return [
        text
        for text, expect, begin, end in wanted
        if not re.search(expect, " ".join(e.text for e in said if begin <= e.t0 < end + 0.5), re.IGNORECASE)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--voice", type=int, default=0)
    parser.add_argument("--server", action="store_true", help="a stub of a server answers what no tool can")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    os.environ["MICROTURN_DISCOVER"] = "0"
    pieces = [f"{word} " for word in STUB.split()]
    with tempfile.TemporaryDirectory() as fresh, FakeOpenAI(saying(*pieces, pause_s=0.05)) as server:
        if arguments.server:
            os.environ["MICROTURN_BASE_URL"] = server.base_url
        out = arguments.out or Path(fresh)
        out.mkdir(parents=True, exist_ok=True)
        events = play(arguments.voice, out)
        show(events)
    lost = missing(events)
    print(f"{len(SCRIPT) + 1 - len(lost)} of {len(SCRIPT) + 1} as wanted", *lost, sep="\n  missing: ")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()

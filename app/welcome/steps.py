"""The first steps as data: their order, their words, and what is said of what was measured. Plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from app.text import one_line

if TYPE_CHECKING:
    from engine.audio.device_check import MicrophoneVerdict
    from engine.audio.echo_check import EchoReport


class Step(Enum):
    """In the order in which they are shown."""

    HELLO = "hello"
    MICROPHONE = "microphone"
    LOUDSPEAKER = "loudspeaker"
    ECHO = "echo"
    CAMERA = "camera"
    READY = "ready"


ORDER = tuple(Step)
TITLES = {
    Step.HELLO: "Welcome to Microturn",
    Step.MICROPHONE: "Your microphone",
    Step.LOUDSPEAKER: "Your loudspeaker",
    Step.ECHO: "Echo",
    Step.CAMERA: "Your camera",
    Step.READY: "Ready",
}
HELLO = (
    "It listens, watches and talks at the same time. You are talking with an AI: all it says is made by a"
    " computer program, its voice is synthetic, and it can be wrong."
)
HELLO_RECORD = "Nothing is recorded unless you ask for it, each time anew; a light shows while it is."
HELLO_NEXT = "The next steps try your devices, in less than a minute. Nothing of that is kept."
TEXTS = {
    Step.MICROPHONE: "Say something, and watch the bar.",
    Step.LOUDSPEAKER: "A short, soft tone is played.",
    Step.ECHO: "What the loudspeaker plays may come back at the microphone, and must not be taken for you."
    " A sound like wind is played for four seconds. Please be quiet meanwhile.",
    Step.CAMERA: "It can see you, if you like. The picture stays on this computer.",
    Step.READY: "Talk as you would with a person. Interrupt whenever you like: it listens while it speaks."
    " The timeline below the conversation shows each of its decisions; “Timeline” in the menu View hides it.",
}
NO_CAMERA = "No camera is chosen. You can talk without one."
FILE_AS_CAMERA = "A video file is chosen in place of a camera. It plays in the conversation."
TONE_HEARD = "The loudspeaker works."
TONE_UNHEARD = (
    "Turn the volume up, and look in the system’s sound settings whether this loudspeaker is muted."
    " Or choose another one, and play the tone again."
)


class Mood(Enum):
    """How a result is shown: with a shape and a colour of its own, beside its words."""

    WAITING = "waiting"
    GOOD = "good"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Told:
    """A result for a person. No text: nothing to say yet."""

    mood: Mood = Mood.WAITING
    text: str = ""


def step_after(step: Step, by: int) -> Step:
    """The step ``by`` places further, or back; it stops at the ends."""
    return ORDER[min(max(ORDER.index(step) + by, 0), len(ORDER) - 1)]


def place_of(step: Step) -> str:
    """Where in the sequence a step is."""
    return f"Step {ORDER.index(step) + 1} of {len(ORDER)}"


def failed(error: str) -> Told:
    """A device could not be opened."""
    text = one_line(error, 300)
    return Told(Mood.PROBLEM, text[:1].upper() + text[1:])


def tell_microphone(verdict: MicrophoneVerdict, platform: str) -> Told:
    """``platform``: ``sys.platform``; where a permission is given differs."""
    told = {
        "WAITING": Told(Mood.WAITING, "Listening… say something."),
        "WORKS": Told(Mood.GOOD, "It works: you can be heard."),
        "ZEROS": Told(Mood.PROBLEM, f"It gives only zeros, not even noise. {_allow(platform)}"),
        "CLIPPED": Told(
            Mood.PROBLEM,
            "It is too loud and cut off: turn its level down in the system’s sound settings, or move back.",
        ),
        "QUIET": Told(
            Mood.PROBLEM,
            "Hardly anything is heard: come closer, turn its level up, or choose another microphone.",
        ),
        "NOTHING": Told(
            Mood.PROBLEM, "It is open but gives no sound: plug it in again, or choose another one."
        ),
    }
    return told[verdict.name]


def _allow(platform: str) -> str:
    where = {
        "darwin": "Allow the microphone in System Settings, Privacy & Security",
        "win32": "Allow the microphone in Settings, Privacy & security",
    }.get(platform, "Look in the system’s sound settings whether it is muted")
    return f"{where}; some microphones and headsets have a switch of their own."


def tell_echo(report: EchoReport, cancels: bool) -> Told:
    """``cancels``: this computer has echo cancellation at all."""
    match report.verdict.name:
        case "SILENT":
            return Told(Mood.PROBLEM, "The microphone gave only zeros. Go back to try it.")
        case "UNPLAYED":
            return Told(Mood.PROBLEM, "The loudspeaker played nothing. Go back to try it.")
        case "NONE":
            return Told(Mood.GOOD, "No echo. Headphones, or a loudspeaker that the microphone cannot hear?")
        case "NOISY":
            return Told(
                Mood.PROBLEM,
                "The room was too loud to tell, or somebody spoke. Measure again in quiet.",
            )
    where = f"It comes back after {report.delay_ms:.0f} ms, {_strength(report.echo_db)}"
    if report.verdict.name == "CANCELLED":
        least = "at least " if report.at_least else ""
        return Told(Mood.GOOD, f"Echo is cancelled, by {least}{report.cancelled_db:.0f} dB. {where}.")
    why = "" if cancels else "Echo cancellation is not available on this computer. "
    left = f", and {report.cancelled_db:.0f} dB are taken out" if cancels else ""
    return Told(
        Mood.PROBLEM, f"Echo remains: use headphones, or turn the loudspeaker down. {why}{where}{left}."
    )


def _strength(echo_db: float) -> str:
    if echo_db >= -0.5:
        return "as loud as it was played" if echo_db < 0.5 else f"{echo_db:.0f} dB louder than it was played"
    return f"{-echo_db:.0f} dB softer than it was played"

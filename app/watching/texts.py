"""What is being watched for, in the window's words. Plain Python."""

from app.text import one_line
from engine.decisions import COUNT, CUE, TIME
from engine.inspect.watching import Saying, Watched, WatchLog
from engine.standing import ELAPSED, described

_MAX_WORDS = 80


def title(one: Watched) -> str:
    """What is being done: "Counting squats", "Watching for a wave", "Every 10 s: Breathe"."""
    asked = one.asked
    if asked.token == COUNT:
        return f"Counting {described(asked).removeprefix('counts ')}"
    if asked.token == CUE:
        return f"Watching for {described(asked).removeprefix('watches for ')}"
    words = "the time" if asked.what == ELAPSED else _bare(asked.words)
    return f"{'Every' if asked.repeat else 'After'} {asked.seconds:g} s: {words}"


def line(one: Watched, t: float, camera: str = "") -> str:
    """How an instruction stands at session second ``t``: with the number counted last, or the time told last.

    ``camera``: why there is no picture, which matters to what is watched.
    """
    asked, last = one.asked, one.last(t)
    text = title(one)
    if asked.token == COUNT and last is not None:
        text = f"{text}: {last.number}"
    elif asked.what == ELAPSED and last is not None:
        text = f"Every {asked.seconds:g} s: {_bare(last.text)}"
    return f"{text} – {camera}" if camera and asked.token != TIME else text


def lines(log: WatchLog, t: float) -> tuple[str, ...]:
    """A line for each instruction that stands at session second ``t``, the oldest first."""
    camera = log.camera_at(t)
    return tuple(line(one, t, camera) for one in log.at(t))


def said_text(one: Watched, text: str) -> str:
    """What was said of an instruction, as it stands on the timeline; ``text`` as in ``Saying``."""
    if one.asked.token == COUNT:
        return text
    return _bare(text) or "said it"


def hover(log: WatchLog, t: float, near: float, most: int = 8) -> str:
    """Plain text on what stood at session second ``t``, and what was said ``near`` it."""
    told = []
    for one in log.watched:
        if one.t0 - near > t or (one.t1 is not None and one.t1 + near < t):
            continue
        begun = f", {one.number} said" if one.number else ""
        end = "still on" if one.t1 is None else f"{one.t1 - one.t0:.1f} s"
        told.append(f"{title(one)} ({end}{begun})")
        told += [_told(one, said) for said in one.said if abs(said.t - t) <= near]
    return "\n".join(told[:most])


def _told(one: Watched, said: Saying) -> str:
    return f"said “{said_text(one, said.text)}”" if said.text else "said it"


def _bare(words: str) -> str:
    """Words without their full stop, safe to show."""
    return one_line(words, _MAX_WORDS).rstrip(".")

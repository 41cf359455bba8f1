"""The conversation as lines of text, built from events. Plain Python; one owner thread."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.recorded import NEW_UTTERANCE_S
from app.text import one_line, plain
from engine.config import CHUNK_S
from engine.decisions import BACKCHANNELS
from engine.events import BackgroundEvent, Caption, Event, Fault, Mark, TextIn, Transcript, TurnRecord
from engine.recorder.marks import HELD, LET_GO, mark_text

MAX_LINES = 2_000
"""Older lines leave the view; they stay on the timeline and in the recording."""
_TRIM = 200
_MAX_TEXT = 4_000
_PAUSE_S = 2.0
"""Words this long after the last ones begin a new line, if no transcript has closed it."""
_OVERLAP_S = 0.15
_SAME_START_S = 0.05
_WORD_S = 0.25
"""The beginning of a word is known to about so much."""
_NEAR = 12
"""Lines to either side that are looked at for overlap."""
_BRACKET = 4
"""Lines to either side that a bracket may join."""


@dataclass(eq=False)
class Line:
    """One utterance, typed text or note. ``speaker``: user, typed, assistant, note or fault."""

    t0: float
    t1: float
    speaker: str
    text: str
    unheard: str = ""
    """Words that were cut off and never reached the ear."""
    live: bool = False
    """Still growing."""
    sure: int | None = None
    """So many characters are confirmed, the rest may change; None: all of it."""
    overlap_s: float = 0.0
    """For so long somebody else was talking too."""
    repeated: int = 1
    version: int = 0
    """Grows with every change, for caches of its layout."""
    words: list[tuple[float, str]] = field(default_factory=list)

    @property
    def backchannel(self) -> bool:
        return self.speaker == "assistant" and self.text.strip(" .") in BACKCHANNELS

    @property
    def voice(self) -> str:
        """Whose voice it was; empty where nobody spoke."""
        return self.speaker if self.speaker in ("user", "assistant") else ""


@dataclass
class Changes:
    """What a view must bring up to date: ``updated`` and ``appended`` lines; all after a ``reset``."""

    updated: set[int] = field(default_factory=set)
    appended: int = 0
    reset: bool = False


class Conversation:
    """Lines in order of their start."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.forgotten = 0
        self._assistant: Line | None = None
        self._requests: dict[int, Line] = {}
        self._caption: Line | None = None
        self.captioned = False
        """Captions and their transcripts show every word, so requests need not."""
        self._changes = Changes()

    def append(self, events: Iterable[Event]) -> Changes:
        """Take events as they come, and say which lines changed."""
        self._changes = Changes()
        for event in events:
            match event:
                case TurnRecord() if event.text_out:
                    self._spoken(event.t, one_line(str(event.text_out), _MAX_TEXT))
                case Transcript():
                    self._transcript(event)
                case Caption():
                    self._captured(event)
                case BackgroundEvent():
                    self._background(event)
                case TextIn():
                    self._insert(Line(event.t, event.t, "typed", plain(event.text, _MAX_TEXT)))
                case Fault():
                    self._note(event.t, "fault", one_line(event.what))
                case Mark() if event.note not in (HELD, LET_GO):  # at every sentence: the timeline has them
                    self._note(event.t, "note", one_line(mark_text(event)))
        if len(self.lines) > MAX_LINES:
            self._forget()
        return self._changes

    def replace_note(self, t: float, old: str, new: str | None) -> Changes:
        """Another note at second ``t`` instead of one, or none; one that is no longer here is left alone."""
        self._changes = Changes()
        text = one_line(old)
        same = (line for line in self.lines if line.speaker == "note" and line.text == text)
        line = next((one for one in same if one.t0 <= t <= one.t1), None)
        if line is not None and line.repeated > 1:
            line.repeated -= 1
            self._changed(line)
        elif line is not None:
            self.lines.remove(line)
            self._changes.reset = True
        if line is not None and new is not None:
            self._note(t, "note", one_line(new))
        return self._changes

    def close(self) -> Changes:
        """The session has ended: nothing grows any more."""
        self._changes = Changes()
        for line in self.lines[-_NEAR:]:
            if line.live:
                line.live, line.sure = False, None
                self._changed(line)
        self._assistant = self._caption = None
        self._requests.clear()
        return self._changes

    def _spoken(self, t: float, words: str) -> None:
        line = self._assistant
        if line is not None and t - line.t1 > _PAUSE_S:
            line.live = False
            self._changed(line)
            line = None
        if line is None:
            # Words of a turn are heard from its end on.
            line = self._assistant = Line(t + CHUNK_S, t + CHUNK_S, "assistant", "", live=True)
            line.words.append((t, words))
            line.text = words
            self._insert(line)
        else:
            line.words.append((t, words))
            line.text = f"{line.text} {words}"[-_MAX_TEXT:]
            line.t1 = t + CHUNK_S
            self._changed(line)
        self._measure_overlap(line)

    def _captured(self, event: Caption) -> None:
        """What the user is saying now: one line that changes until its transcript comes."""
        text = one_line(event.text, _MAX_TEXT)
        if not text or self._is_told(event):
            return
        self.captioned = True
        line, end = self._caption, event.t0 if event.settled else max(event.t, event.t0)
        if line is not None and abs(event.t0 - line.t0) >= NEW_UTTERANCE_S:
            self._settle(line)
            line = None
        sure = min(len(" ".join(text.split()[: max(event.stable, 0)])), len(text))
        if line is None:
            line = self._caption = Line(event.t0, end, "user", text, live=True, sure=sure)
            self._insert(line)
        elif (line.text, line.sure) != (text, sure) or end > line.t1:
            line.text, line.sure, line.t1 = text, sure, max(line.t1, end)
            self._changed(line)
            self._measure_overlap(line)

    def _is_told(self, event: Caption) -> bool:
        """A caption that comes after its own transcript, as one in a recording may."""
        return any(
            line.speaker == "user"
            and not line.live
            and (abs(line.t0 - event.t0) < 2 * _WORD_S or line.t0 <= event.t0 < line.t1 - _WORD_S)
            for line in self.lines[-_NEAR:]
        )

    def _settle(self, line: Line) -> None:
        """No transcript came: its last words stay."""
        line.live, line.sure, self._caption = False, None, None
        self._changed(line)

    def _transcript(self, event: Transcript) -> None:
        text, unheard = plain(event.text, _MAX_TEXT), plain(event.unheard, _MAX_TEXT)
        if event.speaker == "user":
            if self._is_repeated(event, text):
                return
            self._supersede(event)
            line = self._begun(event, text)
            if line is None:
                self._insert(Line(event.t0, event.t1, "user", text))
            else:
                line.text, line.sure = text, None
                self._move(line, event.t0, event.t1)
        elif event.speaker == "assistant":
            line, self._assistant = self._assistant, None
            later: list[tuple[float, str]] = []
            if line is None:
                line = Line(event.t0, event.t1, "assistant", text, unheard)
                self._insert(line)
            else:
                later = [(t, words) for t, words in line.words if t >= event.t1]
                line.text, line.unheard, line.live, line.words = text, unheard, False, []
                self._move(line, event.t0, event.t1)
            self._measure_overlap(line)
            for t, words in later:  # they belong to the next utterance, which has begun meanwhile
                self._spoken(t, words)

    def _begun(self, event: Transcript, text: str) -> Line | None:
        """The line that showed these words before they were all known."""
        line = self._caption
        if line is not None and event.t0 - NEW_UTTERANCE_S < line.t1 and line.t0 < event.t1 + _WORD_S:
            self._caption = None
            return line
        # What was recognised so far is where the whole of it begins.
        return next((r for r in self._requests.values() if r.live and text.startswith(r.text)), None)

    def _is_repeated(self, event: Transcript, text: str) -> bool:
        """The same words at the same time, told by another part of the program."""
        words = _words(text)
        return self.captioned and any(
            line.speaker == "user"
            and not line.live
            and min(line.t1, event.t1) > max(line.t0, event.t0)
            and _words(line.text) == words
            for line in self.lines[-_NEAR:]
        )

    def _supersede(self, event: Transcript) -> None:
        """Drop what was recognised of the same speech when it was shorter."""
        for line in self.lines[-_NEAR:]:
            again = line.speaker == "user" and not line.live and abs(line.t0 - event.t0) < _SAME_START_S
            if again and line.t1 <= event.t1:
                self.lines.remove(line)
                self._requests = {job: one for job, one in self._requests.items() if one is not line}
                self._changes.reset = True

    def _background(self, event: BackgroundEvent) -> None:
        text = plain(event.text, _MAX_TEXT)
        if event.event == "partial" and event.detail.get("role") == "request" and text:
            if self.captioned:
                return
            line = self._requests.get(event.id) or self._heard_as(text)
            t0, t1 = (_time(event.detail.get(key), event.t) for key in ("t0", "t1"))
            if line is None:
                line = Line(t0, max(t0, t1), "user", text, live=True)
                self._insert(line)
            elif line.text != text:
                line.text, line.t1 = text, max(line.t1, t1)
                self._changed(line)
            self._requests[event.id] = line
        elif event.event == "tool_call":
            self._note(event.t, "note", tool_note(event))
        elif event.event == "failed" and not event.detail.get("refused"):
            # What a tool cannot do is said aloud, and is no fault of the background.
            failed = failure_text(event) if event.detail.get("tool") else ""
            why = failed or f"No answer from the background: {failure_text(event)}"
            self._note(event.t, "fault", why)
        elif event.event == "answer" and "alarm" in event.detail and text:
            self._note(event.t, "note", text)  # it may be talked over, and is not said twice
        if event.event in ("answer", "failed", "cancelled"):
            line = self._requests.pop(event.id, None)
            if line is not None and line.live:
                line.live = False
                self._changed(line)

    def _heard_as(self, text: str) -> Line | None:
        """A line that a transcript has made of the same words already."""
        recent = (line for line in reversed(self.lines[-_NEAR:]) if line.speaker == "user")
        return next(
            (line for line in recent if line.text == text and line not in self._requests.values()), None
        )

    def _note(self, t: float, speaker: str, text: str) -> None:
        last = self.lines[-1] if self.lines else None
        if last is not None and last.speaker == speaker and last.text == text:
            last.repeated += 1
            last.t1 = t
            self._changed(last)
        else:
            self._insert(Line(t, t, speaker, text))

    def _insert(self, line: Line) -> None:
        at = bisect_right(self.lines, line.t0, key=_start)
        if at == len(self.lines):
            self._changes.appended += 1
        else:
            self._changes.reset = True
        self.lines.insert(at, line)
        self._measure_overlap(line)

    def _move(self, line: Line, t0: float, t1: float) -> None:
        """Give a line its true times; it may change places with its neighbours."""
        before = self._place(line)
        line.t0, line.t1, line.live = t0, t1, False
        del self.lines[before]
        after = bisect_right(self.lines, t0, key=_start)
        self.lines.insert(after, line)
        if after != before:
            self._changes.reset = True
        self._changed(line)
        self._measure_overlap(line)

    def _changed(self, line: Line) -> None:
        line.version += 1
        self._changes.updated.add(self._place(line))

    def _place(self, line: Line) -> int:
        """Found from the end, where lines change."""
        return next(i for i in range(len(self.lines) - 1, -1, -1) if self.lines[i] is line)

    def _measure_overlap(self, line: Line) -> None:
        """Refresh the overlap of a line and of those around it that another voice spoke."""
        if not line.voice:
            return
        at = self._place(line)
        around = [(one, one.voice) for one in self.lines[max(at - _NEAR, 0) : at + _NEAR] if one.voice]
        for one, voice in around:
            if one is line or voice != line.voice:
                t0, t1 = one.t0, one.t1
                total = sum(
                    _common(one, other)
                    for other, another in around
                    if another != voice and other.t0 < t1 and t0 < other.t1
                )
                shown = total if total >= _OVERLAP_S else 0.0
                if abs(shown - one.overlap_s) > 1e-6:
                    one.overlap_s = shown
                    self._changed(one)

    def _forget(self) -> None:
        gone = self.lines[:_TRIM]
        del self.lines[:_TRIM]
        self.forgotten += _TRIM
        self._assistant = None if self._assistant in gone else self._assistant
        self._caption = None if self._caption in gone else self._caption
        self._requests = {job: line for job, line in self._requests.items() if line not in gone}
        self._changes = Changes(reset=True)


def joined(lines: Sequence[Line], row: int) -> tuple[bool, bool]:
    """Whether both voices spoke at once across the upper and the lower edge of a line.

    A bracket beside the lines goes on there: from the first of those who spoke
    at once to the last, through whatever stands between them.
    """
    first, last = max(row - _BRACKET, 0), min(row + _BRACKET + 1, len(lines))
    above = below = False
    for upper in range(first, row + 1):
        for lower in range(max(upper + 1, row), last):
            one, other = lines[upper], lines[lower]
            if one.voice and other.voice and one.voice != other.voice and _common(one, other) >= _OVERLAP_S:
                above = above or upper < row
                below = below or lower > row
    return above, below


def tool_note(event: BackgroundEvent) -> str:
    """A tool that is called, and with what, for people; one that is asked about first is only wanted."""
    name, _, given = one_line(event.text, 300).partition(" ")
    try:
        arguments = json.loads(str(event.detail.get("arguments", given)))
    except ValueError:
        arguments = None
    if isinstance(arguments, dict):
        given = ", ".join(
            one_line(str(value), 60) for value in arguments.values() if not _says_nothing(value)
        )
    verb = "Wants to use" if str(event.detail.get("permission")).startswith("ask") else "Using"
    return one_line(f"{verb} {name.replace('_', ' ')}" + (f": {given}" if given else ""), 120)


def _says_nothing(value: object) -> bool:
    """Switches of a tool are for the timeline, not for people."""
    return value is None or isinstance(value, bool) or value == ""


def failure_text(event: BackgroundEvent) -> str:
    """What went wrong and what to do, each once."""
    text, advice = one_line(event.text, 300), one_line(str(event.detail.get("advice", "")), 300)
    if text and text in advice:
        text = ""
    return " – ".join(part for part in (text, advice) if part) or "it failed"


def _words(text: str) -> list[str]:
    """For comparing: without case and punctuation."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def _start(line: Line) -> float:
    return line.t0


def _common(one: Line, other: Line) -> float:
    return max(min(one.t1, other.t1) - max(one.t0, other.t0), 0.0)


def _time(value: object, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) else default

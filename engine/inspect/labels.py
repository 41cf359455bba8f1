"""Tracks as labels for Audacity, tiers for Praat, and captions."""

from collections.abc import Iterable, Sequence

from engine.inspect.drawing import printable
from engine.inspect.findings import findings
from engine.inspect.found_tracks import found_tracks
from engine.inspect.tracks import Point, Span, Tracks, job_spans, lanes, tracks
from engine.recorder.reader import RecordedSession

_LEAST_S = 0.05


def to_audacity(session: RecordedSession) -> str:
    """A label track: start, end and text between tabs, sorted by start (Audacity manual, "Label Tracks").

    The text begins with the track's name. Runs of ``listen`` are left out: they are the gaps.
    """
    found = tracks(session)
    looked = found_tracks(findings(session))
    labels = [
        *(Span(s.t0, s.t1, f"decision: {s.text}") for s in found.decisions if s.text != "listen"),
        *(Span(s.t0, s.t1, f"user: {s.text}") for s in found.user),
        *(Span(s.t0, s.t1, f"word: {s.text}") for s in found.words),
        *(Span(s.t0, s.t1, f"assistant: {s.text}") for s in found.assistant),
        *(Span(s.t0, s.t1, f"wait: {s.text}") for s in looked.waits),
        *(Span(s.t0, s.t1, f"finding: {s.text}") for s in looked.findings),
        *(Span(s.t0, s.t1, f"background: {s.text}") for s in job_spans(found)),
        *(Span(s.t0, s.t1, f"watching: {s.text}") for s in found.watching),
        *(Span(p.t, p.t, f"{name}: {p.text}") for name, points in _points(found) for p in points),
    ]
    # What a damaged timeline puts before the start is shown at the start: no label can lie before it.
    placed = [Span(max(0.0, s.t0), max(0.0, s.t1), s.text) for s in labels]
    ordered = sorted(placed, key=lambda s: (s.t0, s.t1))
    return "".join(f"{s.t0:.6f}\t{s.t1:.6f}\t{printable(s.text)}\n" for s in ordered)


def _points(found: Tracks) -> tuple[tuple[str, tuple[Point, ...]], ...]:
    return (
        ("typed", found.typed),
        ("camera", found.vision),
        ("watched", found.watched),
        ("fault", found.faults),
        ("mark", found.marks),
    )


def to_textgrid(session: RecordedSession) -> str:
    """A Praat TextGrid in the long text format ("TextGrid file formats" in Praat's manual).

    One interval tier a track; a track whose spans overlap is spread over as many
    tiers as it needs. Findings of a moment last 0.05 s. Points (typed words, camera,
    what was said of what was watched, faults, marks) are point tiers.
    """
    found = tracks(session)
    looked = found_tracks(findings(session))
    tiers = [_interval_tier("decision", found.decisions, found.duration)]
    always = (("user", found.user), ("assistant", found.assistant), ("background", job_spans(found)))
    wide = _wide(looked.findings, found.duration)
    seldom = (
        ("word", found.words), ("wait", looked.waits), ("finding", wide), ("watching", found.watching)
    )  # fmt: skip
    for name, track in (*always, *((name, track) for name, track in seldom if track)):
        for n, lane in enumerate(lanes(_within(track, found.duration)) or [[]], 1):
            tiers.append(_interval_tier(name if n == 1 else f"{name} {n}", lane, found.duration))
    tiers += [_point_tier(name, points, found.duration) for name, points in _points(found) if points]
    head = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {found.duration:.6f}",
    ]
    lines = [*head, "tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for n, tier in enumerate(tiers, 1):
        lines += [f"    item [{n}]:", *(f"        {line}" for line in tier)]
    return "\n".join(lines) + "\n"


def _wide(spans: Iterable[Span], duration: float) -> list[Span]:
    """Findings of a moment, made so long that an interval can hold them."""
    return [Span(min(s.t0, duration - _LEAST_S), max(s.t1, s.t0 + _LEAST_S), s.text) for s in spans]


def _within(spans: Iterable[Span], duration: float) -> list[Span]:
    clipped = (Span(max(0.0, s.t0), min(s.t1, duration), s.text) for s in spans)
    return [s for s in clipped if s.t1 - s.t0 > 1e-6]


def _filled(spans: Sequence[Span], duration: float) -> list[Span]:
    """Intervals that cover everything: what lies between the spans is empty."""
    result: list[Span] = []
    end = 0.0
    for span in spans:
        if span.t0 - end > 1e-6:
            result.append(Span(end, span.t0, ""))
        result.append(Span(end if span.t0 - end <= 1e-6 else span.t0, span.t1, span.text))
        end = span.t1
    if duration - end > 1e-6:
        result.append(Span(end, duration, ""))
    return result


def _interval_tier(name: str, spans: Sequence[Span], duration: float) -> list[str]:
    filled = _filled(_within(spans, duration), duration)
    lines = ['class = "IntervalTier"', f'name = "{name}"', "xmin = 0", f"xmax = {duration:.6f}"]
    lines.append(f"intervals: size = {len(filled)}")
    for n, span in enumerate(filled, 1):
        lines += [f"intervals [{n}]:", f"    xmin = {span.t0:.6f}", f"    xmax = {span.t1:.6f}"]
        lines.append(f"    text = {_quoted(span.text)}")
    return lines


def _point_tier(name: str, points: Iterable[Point], duration: float) -> list[str]:
    # Praat wants the points of a tier at different times.
    at: dict[float, list[str]] = {}
    for point in points:
        at.setdefault(round(min(max(0.0, point.t), duration), 6), []).append(point.text)
    lines = ['class = "TextTier"', f'name = "{name}"', "xmin = 0", f"xmax = {duration:.6f}"]
    lines.append(f"points: size = {len(at)}")
    for n, t in enumerate(sorted(at), 1):
        lines += [f"points [{n}]:", f"    number = {t:.6f}", f"    mark = {_quoted('; '.join(at[t]))}"]
    return lines


def _quoted(text: str) -> str:
    return '"' + printable(text).replace('"', '""') + '"'


def to_webvtt(session: RecordedSession) -> str:
    """Captions of both sides (W3C WebVTT); each cue names its voice."""
    found = tracks(session)
    cues = [(s, "User") for s in found.user] + [(s, "Assistant") for s in found.assistant]
    blocks = ["WEBVTT"]
    for span, voice in sorted(cues, key=lambda cue: (cue[0].t0, cue[0].t1)):
        # A cue of no length would never be shown.
        end = max(span.t1, span.t0 + 0.2)
        blocks.append(f"{_vtt_time(span.t0)} --> {_vtt_time(end)}\n<v {voice}>{_escaped(span.text)}")
    return "\n\n".join(blocks) + "\n"


def _vtt_time(seconds: float) -> str:
    ms = round(1000 * max(0.0, seconds))
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _escaped(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

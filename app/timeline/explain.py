"""Why a micro-turn decided as it did, as rows of text. Plain Python; states only what was recorded."""

from dataclasses import dataclass

from app.text import one_line
from app.timeline.columns import Turn
from app.timeline.items import Job, kind_of
from app.timeline.model import TimelineModel
from app.timeline.time_scale import clock_label
from engine.config import CHUNK_MS, CHUNK_S, INPUT_HZ
from engine.decisions import COUNT, CUE, DROP, NONE, RELAY, TIME
from engine.events import BackgroundEvent

HEADLINES = {
    "listen": "Kept listening",
    "speak": "Spoke",
    "backchannel": "Gave a short sign of listening",
    "interrupt": "Took the floor from you",
    "yield": "Gave you the floor",
    "other": "Decided something this version does not know",
}
NEAR_S = 1.0
"""Background events and instants this far to either side are listed."""
_MAX_NEAR = 12


@dataclass(frozen=True)
class Row:
    label: str
    value: str
    alert: bool = False


@dataclass(frozen=True)
class Section:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Explanation:
    t: float
    headline: str
    when: str
    verdict: str
    """The decision against its runner-up."""
    decision: str
    probs: tuple[tuple[str, float], ...]
    """Every decision's probability, greatest first."""
    sections: tuple[Section, ...]


def level_text(db: float) -> str:
    return "silent" if db <= -100 else f"{round(db)} dB"


def margin(turn: Turn) -> tuple[str, float]:
    """The strongest other decision, and how much less probable it was than the one taken."""
    others = sorted(((p, name) for name, p in turn.probs.items() if name != turn.decision), reverse=True)
    if not others:
        return "", 0.0
    probability, name = others[0]
    return name, turn.probs.get(turn.decision, 0.0) - probability


def runners_up(turn: Turn) -> str:
    """The decisions that were not taken and were at all probable, each with its distance to the one taken."""
    chosen = turn.probs.get(turn.decision, 0.0)
    others = sorted(((p, name) for name, p in turn.probs.items() if name != turn.decision), reverse=True)
    return ", ".join(f"{name} {p:.0%} ({100 * (p - chosen):+.0f})" for p, name in others if p >= 0.005)


def verdict(turn: Turn) -> str:
    if turn.skipped:
        return "The model was skipped here: the computer was too far behind."
    if not any(turn.probs.values()):
        return "No probabilities were recorded."
    other, by = margin(turn)
    chosen = turn.probs.get(turn.decision, 0.0)
    if by < 0:
        return f"{turn.decision} {chosen:.1%}, although {other} was {-100 * by:.1f} points more probable."
    closeness = "clear" if by >= 0.5 else "narrow" if by < 0.15 else "moderate"
    runner_up = f"next {other} {turn.probs[other]:.1%}"
    return f"{turn.decision} {chosen:.1%}, {runner_up}: a {closeness} margin of {100 * by:.1f} points."


def _heard(turn: Turn, model: TimelineModel) -> tuple[Row, ...]:
    rows = [Row("Microphone", level_text(turn.user_level_db))]
    if turn.gap_samples:
        rows.append(Row("Lost audio", f"{turn.gap_samples / INPUT_HZ * 1000:.0f} ms were missing", True))
    said = [u.text for u in model.items.user.between(turn.t, turn.t + CHUNK_S) if u.t0 < turn.t + CHUNK_S]
    if said:
        rows.append(Row("You were saying", said[-1]))
    rows += [Row("Text that arrived", text) for text in turn.texts]
    if turn.user_activity:
        spans = ("0–0.2 s", "0.2–0.6 s", "0.6–1.2 s", "1.2–2 s")
        parts = [f"{span}: {p:.0%}" for span, p in zip(spans, turn.user_activity, strict=False)]
        rows.append(Row("Expects you to speak", "\n".join(parts)))
    rows.append(Row("Camera", "no new picture" if turn.frame is None else f"picture {turn.frame}"))
    return tuple(rows)


def _own_state(turn: Turn) -> tuple[Row, ...]:
    rows = [Row("Own voice", level_text(turn.self_level_db))]
    rows.append(Row("Words left to say", str(turn.words_left)))
    rows.append(Row("Answer words waiting", str(turn.background_words)))
    rows.append(Row("Open jobs", str(turn.open_jobs)))
    return tuple(rows)


def _did(turn: Turn) -> tuple[Row, ...]:
    names = {
        NONE: "nothing of its own", RELAY: "pass on the answer’s next words", DROP: "drop the answer",
        COUNT: "count on", CUE: "say that it has seen what it watches for", TIME: "say it at its time",
    }  # fmt: skip
    rows = [Row("Runners-up", others)] if (others := runners_up(turn)) else []
    rows.append(Row("Words said", turn.text_out or "none"))
    chosen, probability = turn.say[0]
    shown = names.get(chosen, f"“{chosen}”") + (f" ({probability:.0%})" if probability else "")
    rows.append(Row("Say token", shown))
    if len(turn.say) > 1:
        other, p = turn.say[1]
        rows.append(Row("Next say token", f"{names.get(other, f'“{other}”')} ({p:.0%})"))
    handed = "handed over" if turn.delegate else "not handed over"
    rows.append(Row("Work for the background", f"{handed} ({turn.delegate_prob:.0%})"))
    rows.append(Row("Speech made / heard", f"{turn.generated_ms:.0f} ms / {turn.heard_ms:.0f} ms"))
    return tuple(rows)


def _timing(turn: Turn) -> tuple[Row, ...]:
    late = turn.deadline_missed
    return (
        Row(
            "Compute",
            f"{turn.compute_ms:.1f} ms of {CHUNK_MS}" + (" – deadline missed" if late else ""),
            late,
        ),
        Row("Lag at start", f"{turn.lag_ms:.0f} ms", turn.lag_ms > CHUNK_MS),
    )


def _near(turn: Turn, model: TimelineModel) -> tuple[Row, ...]:
    t0, t1 = turn.t - NEAR_S, turn.t + CHUNK_S + NEAR_S
    rows: list[tuple[float, Row]] = []
    for job in model.items.jobs.between(t0, t1):
        for event in job.near(t0, t1):
            label = f"{_offset(event.t, turn)} job {job.id}"
            rows.append((event.t, Row(label, job_event_text(event), event.event == "failed")))
    names = {"text_in": "typed", "vision": "camera"}
    for instant in model.items.instants.between(t0, t1):
        label = f"{_offset(instant.t, turn)} {names.get(instant.what, instant.what)}"
        rows.append((instant.t, Row(label, instant.text, instant.what == "fault")))
    rows.sort(key=lambda pair: abs(pair[0] - turn.t))
    nearest = sorted(rows[:_MAX_NEAR], key=lambda pair: pair[0])
    return tuple(row for _, row in nearest)


def job_event_text(event: BackgroundEvent) -> str:
    """One event of a job, in words."""
    detail = {key: one_line(str(value), 300) for key, value in event.detail.items()}
    kind, text = kind_of(event), event.text
    if event.event == "partial" and kind == "answer":
        name = "so far"
    elif kind == "tool_call":
        name = "will call a tool" if event.detail.get("waits") else "called a tool"
        if (arguments := detail.get("arguments", "")) and arguments not in text:
            text = f"{text} {arguments}".strip()
    elif kind == "tool_result":
        name = "tool answered" if event.detail.get("ok", True) else "tool failed"
        text += f" ({event.detail['took_s']} s)" if "took_s" in event.detail else ""
    else:
        name = {
            "asked": "rang by itself" if "alarm" in event.detail else "asked",
            "request": "understood",
            "question": "asked you",
            "retry": "tried again",
            "restart": "began its answer anew",
            "answer": "answered",
        }.get(kind, kind)
    more = detail.get("why") or detail.get("advice") or detail.get("reason") or ""
    text = " – ".join(part for part in (text, more) if part)
    return f"{name}: {text}" if text else name


def _offset(t: float, turn: Turn) -> str:
    return f"{t - turn.t:+.1f} s"


def explain(model: TimelineModel) -> Explanation | None:
    """The selected micro-turn; None when none is selected or it never arrived."""
    turn = model.selected_turn
    if turn is None:
        return None
    sections = [
        Section("What it heard and saw", _heard(turn, model)),
        Section("Its own state", _own_state(turn)),
        Section("What it did", _did(turn)),
        Section("Timing", _timing(turn)),
    ]
    if near := _near(turn, model):
        sections.append(Section("Within a second of it", near))
    start, stop = clock_label(turn.t, 0.2), clock_label(turn.t + CHUNK_S, 0.2)
    return Explanation(
        t=turn.t,
        headline=HEADLINES[turn.decision],
        when=f"Micro-turn {turn.i} · {start} – {stop}",
        verdict=verdict(turn),
        decision=turn.decision,
        probs=tuple(sorted(turn.probs.items(), key=lambda item: -item[1])),
        sections=tuple(sections),
    )


def job_text(job: Job) -> str:
    """One job for a tooltip."""
    last = next(
        (
            e.text
            for e in reversed(job.events)
            if e.text and (e.event in ("answer", "failed") or kind_of(e) in ("answer", "question"))
        ),
        "",
    )
    took = "" if job.t1 is None else f", {job.t1 - job.t0:.1f} s"
    done = [job_event_text(e) for e in job.events if e.event in ("tool_call", "tool_result", "cancelled")]
    lines = [f"Job {job.id}: {job.outcome}{took}", job.request, *done[-6:], last]
    return "\n".join(line[:300] for line in dict.fromkeys(lines) if line)


def hover_text(model: TimelineModel, i: int) -> str:
    """Decision and probabilities of turn ``i``, for a tooltip."""
    turn = model.turns.turn(i)
    if turn is None:
        return ""
    lines = [f"{clock_label(turn.t, 0.2)}  {turn.decision}" + ("  → background" if turn.delegate else "")]
    lines += [f"{p:6.1%}  {name}" for name, p in sorted(turn.probs.items(), key=lambda item: -item[1])]
    lines.append(f"you {level_text(turn.user_level_db)}, own voice {level_text(turn.self_level_db)}")
    lines.append(f"compute {turn.compute_ms:.0f} ms" + (", deadline missed" if turn.deadline_missed else ""))
    if turn.text_out:
        lines.append(f"said “{turn.text_out[:200]}”")
    return "\n".join(lines)

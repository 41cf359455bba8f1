"""What is under a point of the timeline, in words. Plain Python."""

from app.text import one_line
from app.timeline.explain import hover_text, job_text
from app.timeline.found import Found
from app.timeline.model import TimelineModel
from app.timeline.time_scale import clock_label
from app.watching.texts import hover as watching_text
from engine.config import CHUNK_S

_MOST = 8


def lane_text(model: TimelineModel, found: Found, lane: str, t: float, near: float) -> str:
    """Plain text on second ``t`` of a lane; ``near`` seconds to either side count as hit."""
    match lane:
        case "faults":
            spots = found.faults_of(model).between(t - near, t + near)[:_MOST]
            return "\n".join(s.text if s.text.startswith(s.kind) else f"{s.kind}: {s.text}" for s in spots)
        case "marks":
            names = {"mark": "mark", "text_in": "typed", "vision": "camera"}
            noted = model.items.notes.between(t - near, t + near)[:_MOST]
            return "\n".join(f"{names.get(i.what, i.what)}: {i.text}" for i in noted)
        case "watching":
            return watching_text(model.items.watches, t, near)
        case "latency":
            return latency_text(found, t, near)
        case "jobs":
            return "\n\n".join(job_text(job) for job in model.items.jobs.between(t - near, t + near)[:3])
        case "user_words":
            return "\n".join(u.text for u in model.items.user.between(t, t)[:3])
        case "assistant_words":
            said = model.items.assistant.between(t, t)[:3]
            return "\n".join(
                u.text + (f"\ncut off, not heard: {u.unheard}" if u.unheard else "") for u in said
            )
        case "projection":
            return projection_text(model, int(t / CHUNK_S + 1e-9))
    return hover_text(model, int(t / CHUNK_S + 1e-9)) if t >= 0 else ""


def projection_text(model: TimelineModel, i: int) -> str:
    """What the model expected of the user after micro-turn ``i``."""
    expected = model.turns.activity(i)
    if not any(expected):
        return ""
    spans = ("0–0.2 s", "0.2–0.6 s", "0.6–1.2 s", "1.2–2 s")
    lines = [f"{p:6.1%}  {span} later" for span, p in zip(spans, expected, strict=False)]
    return "\n".join([f"{clock_label((i + 1) * CHUNK_S, 0.2)}  expects you to speak", *lines])


def latency_text(found: Found, t: float, near: float) -> str:
    """Where the wait for a reply went; its parts add up to it."""
    from engine.inspect.latency import CAUSES

    replies = found.replies_between(t - near, t + near)
    if not replies:
        return ""
    reply = min(replies, key=lambda r: abs((r.t0 + r.t1) / 2 - t))
    if not reply.segments:
        return f"began {reply.t0 - reply.t1:.2f} s before you had ended"
    lines = [f"{reply.t1 - reply.t0:.2f} s from your last sound to the assistant’s first"]
    for segment in reply.segments:
        ms = 1000 * (segment.t1 - segment.t0)
        why = CAUSES.get(segment.name, "")
        lines.append(one_line(f"{ms:.0f} ms {segment.name}" + (f": {why}" if why else ""), 160))
    return "\n".join(lines)

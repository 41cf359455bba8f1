"""Draws scripts: which things happen in a scene of a kind, and when."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.errors import InputError
from engine.training.visual.exercises import EXERCISES, ON_THE_FLOOR, draw_set
from engine.training.visual.gestures import FIDGETS, GESTURES
from engine.training.visual.props import draw_prop
from engine.training.visual.script import ExerciseSet, Gesture, LookAway, Move, Script, Showing, Talk
from engine.training.visual.splits import TRAIN, Rng, Split

KINDS = ("exercise", "presence", "gestures", "objects", "talking", "mixed", "empty")
_GAP = (0.5, 3.0)


def draw_script(rng: Rng, kind: str, seconds: float, split: Split = TRAIN) -> Script:
    """A scene of ``seconds`` (at least 4). Raises InputError: there is no such kind, or it is too short."""
    if kind not in KINDS:
        raise InputError(f"there is no visual scene {kind!r}: choose one of {', '.join(KINDS)}")
    if seconds < 4:
        raise InputError("a visual scene takes at least 4 seconds")
    draw: dict[str, Callable[[Rng, float], Script]] = {
        "exercise": lambda rng, seconds: _exercise(rng, seconds, split),
        "presence": _presence,
        "gestures": _gestures,
        "objects": _objects,
        "talking": _talking,
        "mixed": lambda rng, seconds: _mixed(rng, seconds, split),
        "empty": lambda _, seconds: Script("empty", seconds, presence=False),
    }
    script = draw[kind](rng, seconds)
    if not script.presence:
        return script
    return replace(script, chewing=_chewing(rng, script), looks=(*script.looks, *_glances(rng, script)))


def with_talks(rng: Rng, script: Script, talks: Sequence[Talk]) -> Script:
    """The same scene with these times of speech; who speaks to somebody else looks at them."""
    spoken = tuple(talks)
    looks = tuple(
        look for look in script.looks if not any(a.start < look.end and look.start < a.end for a in spoken)
    )
    aside = tuple(_toward_other(rng, talk) for talk in spoken if not talk.to_camera)
    chewing = tuple(c for c in script.chewing if not any(a.start < c[1] and c[0] < a.end for a in spoken))
    return replace(script, talks=spoken, looks=(*looks, *aside), chewing=chewing)


def _uniform(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _side(rng: Rng) -> bool:
    return bool(rng.random() < 0.5)


def _fidgets(rng: Rng, start: float, end: float, every: float) -> list[Gesture]:
    """Movements that mean nothing, between ``start`` and ``end``."""
    out = []
    t = start + _uniform(rng, 0.2, every)
    while t + 1.2 < end:
        label = str(rng.choice(FIDGETS))
        long = min(_uniform(rng, 1.0, 3.0), end - t)
        out.append(Gesture(label, t, t + long, _side(rng), _uniform(rng, 0.3, 1.2), _uniform(rng, 0.6, 1.2)))
        t += long + _uniform(rng, 0.5, every)
    return out


def _rests(one: ExerciseSet) -> list[tuple[float, float]]:
    """The pauses in a set that are long enough for something else."""
    ends = [r.end for r in one.repetitions]
    starts = [r.start for r in one.repetitions[1:]]
    return [(a, b) for a, b in zip(ends, starts, strict=False) if b - a > 1.6]


def _exercise(rng: Rng, seconds: float, split: Split, kinds: Sequence[str] = EXERCISES) -> Script:
    """One set, or two of different kinds with a rest between them."""
    first = _uniform(rng, 1.2, min(4.0, 0.25 * seconds))
    names = [str(rng.choice(kinds))]
    if seconds > 24 and rng.random() < 0.35:
        names.append(str(rng.choice(kinds)))
    sets: list[ExerciseSet] = []
    gestures = _fidgets(rng, 0.0, first - 1.0, 2.0)
    share = (seconds - first) / len(names)
    for k, name in enumerate(names):
        start = first + k * share + (2.5 if k else 0.0)
        last = k == len(names) - 1
        end = first + (k + 1) * share - (_uniform(rng, 0.5, 0.25 * share) if last else 2.0)
        one = draw_set(rng, split, name, start, end)
        sets.append(one)
        if name not in ON_THE_FLOOR:
            for a, b in _rests(one):
                gestures += _fidgets(rng, a, b, 1.0)
    gestures += _fidgets(rng, sets[-1].end + 1.8, seconds, 2.0)
    close = all(one.kind == "biceps curl" for one in sets) and rng.random() < 0.5
    return Script(
        "exercise", seconds, "standing", "waist" if close else "full",
        yaw=_uniform(rng, -0.4, 0.4), sets=tuple(sets), gestures=tuple(gestures),
    )  # fmt: skip


def _stance(rng: Rng, framings: Sequence[str] = ("bust", "waist", "full")) -> tuple[str, str, float]:
    framing = str(rng.choice(framings))
    posture = "standing" if framing == "full" or rng.random() < 0.3 else "sitting"
    return posture, framing, _uniform(rng, -0.5, 0.5)


def _presence(rng: Rng, seconds: float) -> Script:
    """Comes and goes, turns away, comes close."""
    posture, framing, yaw = _stance(rng)
    moves: list[Move] = []
    gestures: list[Gesture] = []
    here = bool(rng.random() < 0.6)
    t = _uniform(rng, 0.8, 2.5)
    if not here:
        moves.append(Move("enter", t, t + _uniform(rng, 1.6, 2.8), _side(rng)))
        t = moves[-1].end + _uniform(rng, 1.0, 3.0)
    while t + 3.5 < seconds:
        kind = str(rng.choice(("leave", "turn away", "come close", "fidget")))
        if kind == "fidget":
            long = min(_uniform(rng, 2.0, 4.0), seconds - t)
            gestures += _fidgets(rng, t, t + long, 1.5)
            t += long
            continue
        end = t + _uniform(rng, 1.6, 2.8) if kind == "leave" else t + _uniform(rng, 2.2, 6.0)
        moves.append(Move(kind, t, min(end, seconds), _side(rng)))
        t = moves[-1].end + _uniform(rng, 1.0, 4.0)
        if kind == "leave" and t + 2.0 < seconds:
            moves.append(Move("enter", t, t + _uniform(rng, 1.6, 2.8), _side(rng)))
            t = moves[-1].end + _uniform(rng, 1.0, 3.0)
        elif kind == "leave":
            break
    return Script(
        "presence", seconds, posture, framing, yaw=yaw, moves=tuple(moves), gestures=tuple(gestures)
    )


def _gesture(rng: Rng, t: float, framing: str) -> Gesture:
    chances = [2.0, 2.0, 1.2, 1.2, 1.2, 2.5, 0.7, 0.8, 0.8, 1.0]
    label = str(rng.choice(GESTURES, p=[c / sum(chances) for c in chances]))
    if framing == "face":
        label = str(rng.choice(("nod", "shake head")))
    long = {"nod": (0.8, 2.2), "shake head": (0.8, 2.4), "slouch": (4.0, 9.0), "phone": (3.0, 7.0)}
    rate = _uniform(rng, 1.1, 2.4) if label in ("nod", "shake head") else _uniform(rng, 1.2, 3.0)
    return Gesture(
        label, t, t + _uniform(rng, *long.get(label, (1.6, 4.2))), _side(rng), rate,
        _uniform(rng, 0.75, 1.2), int(rng.integers(1, 6)) if label == "fingers" else 0,
    )  # fmt: skip


def _gestures(rng: Rng, seconds: float) -> Script:
    posture, framing, yaw = _stance(rng, ("face", "bust", "bust", "waist", "waist", "full"))
    out: list[Gesture] = []
    t = _uniform(rng, *_GAP)
    while True:
        one = _gesture(rng, t, framing)
        if one.end > seconds:
            break
        out.append(one)
        t = one.end + _uniform(rng, *_GAP)
        if rng.random() < 0.25:
            out += _fidgets(rng, t, min(t + 3.0, seconds), 1.0)
            t += 3.0
    return Script("gestures", seconds, posture, framing, yaw=yaw * 0.6, gestures=tuple(out))


def _objects(rng: Rng, seconds: float) -> Script:
    """Things held up and taken away, and things on the table that go."""
    _, framing, yaw = _stance(rng, ("bust", "waist", "waist"))
    showings: list[Showing] = []
    t = _uniform(rng, 0.6, 2.0)
    if rng.random() < 0.55:
        until = _uniform(rng, 0.4, 1.15) * seconds
        showings.append(Showing(draw_prop(rng), 0.0, min(until, seconds), "table", _side(rng)))
        framing = "waist"  # the table is in view
    while t + 2.5 < seconds:
        end = min(t + _uniform(rng, 2.0, 5.5), seconds)
        left = not showings[0].left if showings and showings[0].way == "table" else _side(rng)
        showings.append(Showing(draw_prop(rng), t, end, "hand", left))
        t = end + _uniform(rng, 0.8, 3.0)
    return Script("objects", seconds, "sitting", framing, yaw=0.6 * yaw, showings=tuple(showings))


def _talking(rng: Rng, seconds: float) -> Script:
    posture, framing, yaw = _stance(rng, ("face", "bust", "bust", "waist"))
    talks: list[Talk] = []
    t = _uniform(rng, 0.3, 2.0)
    while t + 1.0 < seconds:
        talks.append(Talk(t, min(seconds, t + _uniform(rng, 0.8, 6.0)), bool(rng.random() < 0.65)))
        t = talks[-1].end + _uniform(rng, 0.4, 3.5)
    gestures = _fidgets(rng, 0.5, seconds, 7.0)
    script = Script("talking", seconds, posture, framing, yaw=yaw, gestures=tuple(gestures))
    return with_talks(rng, script, talks)


def _mixed(rng: Rng, seconds: float, split: Split) -> Script:
    """A bit of everything; in some scenes an exercise too, in some the person goes at the end."""
    if rng.random() < 0.4:
        upright = [kind for kind in EXERCISES if kind not in ON_THE_FLOOR]
        script = replace(
            _exercise(rng, max(4.0, 0.6 * seconds), split, upright), seconds=seconds, framing="full"
        )
        t = script.seconds * 0.6 + 1.5
        posture = "standing"
    else:
        posture, framing, yaw = _stance(rng, ("bust", "waist"))
        script, t = Script("mixed", seconds, posture, framing, yaw=0.6 * yaw), 0.8
    gestures, showings, talks, moves = list(script.gestures), [], [], []
    gestures = [g for g in gestures if g.end <= t]
    while t + 3.0 < seconds:
        what = str(rng.choice(("gesture", "show", "talk", "aside", "turn", "fidget")))
        end = min(seconds, t + _uniform(rng, 1.8, 4.5))
        if what == "gesture":
            one = _gesture(rng, t, script.framing)
            end = one.end
            if end < seconds:
                gestures.append(one)
        elif what == "show":
            showings.append(Showing(draw_prop(rng), t, end, "hand", _side(rng)))
        elif what == "turn":
            moves.append(Move("turn away", t, end, _side(rng)))
        elif what == "fidget":
            gestures += _fidgets(rng, t, end, 1.0)
        else:
            talks.append(Talk(t, end, what == "talk"))
        t = end + _uniform(rng, 0.4, 2.0)
    if rng.random() < 0.3 and t + 1.6 < seconds:
        moves.append(Move("leave", t, t + 1.6, _side(rng)))
    script = replace(
        script, kind="mixed", gestures=tuple(gestures), showings=tuple(showings), moves=tuple(moves)
    )
    return with_talks(rng, script, talks)


def _toward_other(rng: Rng, talk: Talk) -> LookAway:
    yaw = _uniform(rng, 0.55, 1.3) * (1 if _side(rng) else -1)
    return LookAway(talk.start - _uniform(rng, 0.1, 0.5), talk.end + _uniform(rng, 0.0, 0.6), yaw, 0.0)


def _glances(rng: Rng, script: Script) -> tuple[LookAway, ...]:
    """Looks that have nothing to do with talk: down at the desk, out of the window."""
    out = []
    t = _uniform(rng, 0.5, 8.0)
    while t < script.seconds:
        end = t + _uniform(rng, 0.6, 3.0)
        if not any(a.start < end and t < a.end for a in script.talks):
            yaw, pitch = _uniform(rng, -1.0, 1.0), _uniform(rng, -0.15, 0.55)
            if abs(yaw) + abs(pitch) > 0.5:
                out.append(LookAway(t, end, yaw, pitch))
        t = end + _uniform(rng, 1.0, 9.0)
    return tuple(out)


def _chewing(rng: Rng, script: Script) -> tuple[tuple[float, float], ...]:
    """The mouth moves and nothing is said: in one scene of four."""
    if rng.random() > 0.25:
        return ()
    start = _uniform(rng, 0.0, 0.7) * script.seconds
    end = min(script.seconds, start + _uniform(rng, 1.0, 8.0))
    return () if any(a.start < end and start < a.end for a in script.talks) else ((start, end),)

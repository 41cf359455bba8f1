"""Where the time of a reply went, on sessions whose causes are known to the sample."""

import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from engine.config import CHUNK_S
from engine.inspect.latency import CAUSES, Reply, Segment, medians, replies
from engine.inspect.measures import measure
from engine.recorder.reader import read_session
from tests.engine.inspect_samples import tone, turn, write_session

SECONDS = 8.0


def made(tmp_path, turns, onset, user=((0.4, 2.1),), heard=None):
    """A session with ``turns`` (by number) among listening ones, heard from ``onset`` on."""
    records = [turns.get(i, turn(i)) for i in range(round(SECONDS / CHUNK_S))]
    spans = heard or ((onset, onset + 1.5),)
    folder = write_session(
        tmp_path / "session",
        tone(*user, seconds=SECONDS, rate=16_000),
        tone(*spans, seconds=SECONDS, rate=24_000),
        records,
    )
    return read_session(folder)


def found(session):
    return replies(session, measure(session))


def speaking(first, count=8, **fields):
    """Turns that speak from ``first`` on; ``fields`` are the first one's."""
    rest = {i: turn(i, "speak", generated_ms=200.0) for i in range(first + 1, first + count)}
    return {first: turn(first, "speak", generated_ms=300.0, **fields)} | rest


def check(reply):
    """Contiguous from the user's end to the first sound, each with a name that is explained."""
    assert reply.segments[0].t0 == reply.t0
    assert reply.segments[-1].t1 == reply.t1
    assert all(a.t1 == b.t0 and a.name != b.name for a, b in pairwise(reply.segments))
    assert all(s.name in CAUSES and s.t1 > s.t0 for s in reply.segments)
    return [(s.name, pytest.approx(s.t1 - s.t0, abs=0.011)) for s in reply.segments]


def test_a_reply_decided_at_the_end_of_its_micro_turn(tmp_path):
    [reply] = found(made(tmp_path, speaking(10, compute_ms=30.0, say="Let me see."), 2.25))
    assert (reply.turn, reply.decision) == (10, "speak")
    assert (reply.t0, reply.t1) == pytest.approx((2.1, 2.25), abs=0.011)
    assert check(reply) == [
        ("waiting for the micro-turn's end", 0.1),
        ("computing", 0.03),
        ("playing out", 0.02),
    ]


def test_every_cause_has_its_own_seconds(tmp_path):
    turns = speaking(18, compute_ms=50.0, lag_ms=70.0, say="relay", background_words=5)
    turns |= {
        12: turn(12, delegate=True),
        **{i: turn(i, open_jobs=1) for i in (13, 14)},
        15: turn(15, open_jobs=1, skipped=True),
        16: turn(16, "speak", open_jobs=1, background_words=4),
    }
    [reply] = found(made(tmp_path, turns, 3.95))
    assert reply.turn == 18
    assert check(reply) == [
        ("waiting for the micro-turn's end", 0.1),
        ("deciding to listen", 0.4),  # after micro-turns 10 and 11
        ("waiting for the background", 0.6),  # 12, 13, 14
        ("late", 0.2),  # 15
        ("nothing to say", 0.2),  # 16
        ("deciding to listen", 0.2),  # 17
        ("late", 0.07),
        ("computing", 0.05),
        ("playing out", 0.03),
    ]


def test_a_bridge_waits_for_nothing_although_the_background_is_at_work(tmp_path):
    turns = speaking(12, say="One moment.") | {11: turn(11, open_jobs=1)}
    [reply] = found(made(tmp_path, turns, 2.62))
    assert ("deciding to listen", 0.4) in check(reply)
    assert "waiting for the background" not in {s.name for s in reply.segments}


def test_words_that_are_there_are_not_waited_for(tmp_path):
    turns = speaking(13, say="relay", background_words=6)
    turns |= {i: turn(i, open_jobs=1, background_words=6) for i in (11, 12)}
    [reply] = found(made(tmp_path, turns, 2.83))
    assert "waiting for the background" not in {s.name for s in reply.segments}


def test_a_decision_before_the_user_had_ended(tmp_path):
    [reply] = found(made(tmp_path, speaking(9, compute_ms=20.0), 2.15))
    assert reply.turn == 9
    assert check(reply) == [("playing out", 0.05)]


def test_a_reply_before_the_users_end_has_no_segments(tmp_path):
    [reply] = found(made(tmp_path, speaking(7), 1.65, user=((0.4, 1.2), (1.75, 2.6))))[:1]
    assert reply.segments
    turns = speaking(7)
    session = made(tmp_path / "b", turns, 1.65, user=((0.4, 2.1),))
    [reply] = found(session)
    assert reply.t1 < reply.t0
    assert reply.segments == ()
    assert medians([reply]) == {}


def test_the_user_ending_with_the_micro_turn_waits_for_no_end(tmp_path):
    [reply] = found(made(tmp_path, speaking(9), 2.03, user=((0.4, 2.0),)))
    assert reply.turn == 9
    assert [s.name for s in reply.segments] == ["computing", "playing out"]


def test_missing_micro_turns_are_told(tmp_path):
    session = made(tmp_path, speaking(14), 3.05)
    gap = replace(session, turns=tuple(t for t in session.turns if t.i not in (11, 12)))
    [reply] = found(gap)
    check(reply)
    unknown = [s for s in reply.segments if s.name == "not recorded"]
    assert sum(s.t1 - s.t0 for s in unknown) == pytest.approx(0.4)
    silent = replace(
        session, turns=tuple(replace(t, generated_ms=0.0, decision="listen") for t in session.turns)
    )
    [reply] = found(silent)
    assert (reply.turn, [s.name for s in reply.segments]) == (-1, ["not recorded"])


def test_without_audio_the_turns_say_the_same_to_200_ms(tmp_path):
    turns = speaking(13, heard_ms=0.0)
    turns |= {i: turn(i, "speak", generated_ms=200.0, heard_ms=200.0) for i in range(14, 21)}
    turns |= {i: turn(i, user_level_db=-20.0) for i in range(2, 11)}
    session = made(tmp_path, turns, 2.83)
    for name in ("input.flac", "output.wav"):
        (session.path / name).unlink()
    [reply] = found(read_session(session.path))
    check(reply)
    assert reply.turn == 13
    assert reply.t1 - reply.t0 == pytest.approx(0.73, abs=0.2)
    shutil.rmtree(session.path)


def test_the_turn_behind_a_sound_is_the_first_of_its_run(tmp_path):
    """The first sound may come several micro-turns after what made it, from a slow loudspeaker."""
    turns = speaking(10, count=4) | speaking(17, count=6)
    session = made(tmp_path, turns, 0, user=((0.4, 2.1), (3.2, 3.7)), heard=((2.7, 3.1), (4.4, 5.5)))
    first, second = found(session)
    assert (first.turn, second.turn) == (10, 17)
    assert check(second)[-1] == ("playing out", pytest.approx(0.7, abs=0.011))


def test_medians_count_a_cause_that_is_not_there_as_nothing():
    def reply(*lengths):
        edges = [0.0]
        for _, length in lengths:
            edges.append(edges[-1] + length)
        parts = tuple(Segment(n, a, b) for (n, _), a, b in zip(lengths, edges, edges[1:], strict=False))
        return Reply(0.0, edges[-1], 3, "speak", parts)

    some = [
        reply(("computing", 0.1), ("playing out", 0.2)),
        reply(("deciding to listen", 1.0), ("computing", 0.3)),
        reply(("computing", 0.2), ("playing out", 0.1)),
    ]
    assert medians(some) == pytest.approx({"deciding to listen": 0.0, "computing": 0.2, "playing out": 0.1})
    assert medians([]) == {}

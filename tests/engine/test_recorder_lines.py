"""Lines of a timeline parsed many at once: the same as one by one, whatever is in them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events import Mark, to_json
from engine.recorder.lines import MAX_LINE, parse_event, parse_lines
from tests.engine.recorder_samples import HEADER, other_events, turn

GOOD = [to_json(event).encode() for event in (HEADER, *(turn(i) for i in range(12)), *other_events())]
ODD = [
    b"", b"0", b"null", b"[]", b"{", b"}", b"]", b"[", b'{"kind":"mark","t":1,"note":"a"},{"kind":"dream"}',
    b'{"kind":"mark","t":1,"note":["a"', b'"b"]}', b'{"kind":"mark","t":1,"note":["a",0,"b"]}', b'"',
    b"1,0,2",
    b'{"kind":"mark","t":NaN,"note":"x"}', b'{"kind":"mark","t":true,"note":"x"}', b'{"kind":"dream"}',
    b'{"kind":"mark","t":1,"note":"\xff"}', b"\xef\xbb\xbf{}", b'{"kind":"mark","t":1,"note":"\\ud800"}',
    b'{"kind":"turn","i":-1,"t":0,"decision":"listen","probs":{}}', b"[" * 100_000, b"1" * 5_000,
    b'{"kind":"turn","i":1,"t":' + b"9" * 400 + b',"decision":"listen","probs":{}}', b'{"a":1}' + b" " * 9,
    b'{"kind":"turn","i":1,"t":0.2,"decision":"listen","probs":{"listen":1e999}}',
]  # fmt: skip


def one_by_one(lines):
    found = []
    for line in lines:
        try:
            found.append((parse_event(line.decode("utf-8")), True))
        except ValueError:
            found.append((None, False))
    return found


def test_whole_lines():
    assert parse_lines(GOOD) == one_by_one(GOOD)
    assert all(whole for _, whole in parse_lines(GOOD))
    assert parse_lines([]) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(GOOD) | st.sampled_from(ODD), max_size=8))
def test_odd_lines_among_others(lines):
    # As text: a NaN is not equal to itself.
    assert repr(parse_lines(lines)) == repr(one_by_one(lines))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 600), st.binary(max_size=4))
def test_bit_rot_in_one_line_leaves_the_others_as_they_are(which, position, noise):
    line = bytearray(GOOD[which])
    position %= len(line)
    line[position : position + len(noise)] = noise
    lines = [*GOOD[:which], bytes(line), *GOOD[which + 1 :]]
    assert repr(parse_lines(lines)) == repr(one_by_one(lines))


@pytest.mark.parametrize("value", [2**53, -(2**53), 1e15, 10**400])
def test_numbers_at_their_limits(value):
    line = json.dumps({"kind": "mark", "t": value, "note": "x"}).encode()
    assert parse_lines([line, GOOD[0]])[0] == (None, False)
    near = json.dumps({"kind": "mark", "t": 1e15 - 1, "note": "x"}).encode()
    assert parse_lines([near])[0] == (Mark(1e15 - 1, "x"), True)


def test_a_line_that_is_too_long_is_broken():
    long = b'{"kind":"mark","t":1.0,"note":"' + b"x" * MAX_LINE + b'"}'
    assert [whole for _, whole in parse_lines([GOOD[0], long, GOOD[1]])] == [True, False, True]

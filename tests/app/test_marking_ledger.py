"""The list of marks without a window, and where a mark goes."""

from app.marking.ledger import Ledger, marked_text, place
from engine.events import Mark
from engine.recorder.marks import MUTED, SavedMark, made_mark


def saved(t: float, note: str = "x", verdict: str = "") -> SavedMark:
    mark = Mark(t, note, verdict)
    return SavedMark(mark, repr(mark).encode())


def test_rows_are_in_time_order_and_keep_their_numbers():
    ledger = Ledger()
    late, early = ledger.add(made_mark(5, "b")), ledger.add(made_mark(1, "a"))
    assert [row.mark.note for row in ledger.rows] == ["a", "b"]
    assert ledger.get(late.number) is late and ledger.get(99) is None
    ledger.change(late.number, made_mark(5, "c"), None)
    assert ledger.rows[1].note == "c" and ledger.rows[1].number == late.number
    ledger.remove(early.number)
    assert len(ledger.rows) == 1


def test_what_is_not_saved_survives_a_reading():
    ledger = Ledger()
    ledger.load([saved(1), saved(3, MUTED)])
    assert [row.mark.t for row in ledger.rows] == [1]  # the program's own marks are not listed
    waiting = ledger.add(made_mark(2, "", "late"))
    ledger.load([saved(4)])
    assert [row.mark.t for row in ledger.rows] == [2, 4]
    assert len(ledger.unsaved()) == 1
    number = ledger.unsaved()[0].number
    ledger.were_saved([number], [SavedMark(waiting.mark, b"line")])
    row = ledger.get(number)
    assert ledger.unsaved() == [] and row is not None and row.saved == SavedMark(waiting.mark, b"line")
    ledger.load([saved(4)])
    assert [row.mark.t for row in ledger.rows] == [4]
    ledger.clear()
    assert ledger.rows == []


def test_words():
    ledger = Ledger()
    row = ledger.add(made_mark(72.44, "far\u202e too\nlate", "late"))
    assert (row.time, row.verdict, row.note) == ("1:12.4", "late", "far too late")
    assert marked_text(made_mark(12.4, "", "late")) == "Marked 0:12.4: late."
    assert marked_text(Mark(3661, "hm")) == "Marked 1:01:01.0: hm."


def test_where_a_mark_goes():
    assert place(3.2, 1.0, True, 9.0) == 3.2
    assert place(None, 1.0, True, 9.0) == 1.0
    assert place(None, None, True, 9.0) == 9.0
    assert place(None, None, False, 9.0) is None
    assert place(0.0, 1.0, False, 9.0) == 0.0

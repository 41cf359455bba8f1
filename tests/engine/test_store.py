"""What the tools keep: nothing that was answered is lost, and a bad file stops nobody."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.background.store import MAX_TEXT, VERSION, Store, StoreError

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store():
    made = Store(None)
    yield made
    made.close()


def test_alarms_go_from_waiting_to_told(store):
    late = store.add_alarm("reminder", "call mom", NOW + timedelta(hours=2), NOW)
    soon = store.add_alarm("timer", "", NOW + timedelta(minutes=5), NOW, 300)
    assert store.next_due() == soon.due == NOW + timedelta(minutes=5)
    assert store.due(NOW) == ()
    assert [a.id for a in store.due(NOW + timedelta(hours=3))] == [soon.id, late.id]
    assert store.fire(soon.id)
    assert not store.fire(soon.id)
    # Fired and not told: it is due again, whatever the time.
    assert [a.id for a in store.due(NOW)] == [soon.id]
    assert store.told(soon.id)
    assert not store.told(soon.id)
    assert store.due(NOW) == ()
    assert store.next_due() == late.due
    assert store.cancel(late.id, late.id, 99) == 1
    assert store.next_due() is None
    assert store.alarms() == ()
    assert store.newest_alarm() is None


def test_alarms_can_be_changed_until_they_are_told(store):
    alarm = store.add_alarm("timer", "", NOW, NOW, 60)
    store.fire(alarm.id)
    changed = store.change_alarm(alarm.id, due=NOW + timedelta(minutes=1), label="tea", duration_s=120)
    assert (changed.state, changed.label, changed.duration_s) == ("waiting", "tea", 120)
    store.told(alarm.id)
    assert store.change_alarm(alarm.id, due=NOW) is None


def test_times_come_back_in_utc_and_need_a_zone(store):
    from zoneinfo import ZoneInfo

    due = datetime(2026, 12, 1, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
    alarm = store.add_alarm("alarm", "", due, NOW)
    assert alarm.due == due
    assert alarm.due.tzinfo is UTC
    with pytest.raises(ValueError, match="zone"):
        store.add_alarm("alarm", "", datetime(2026, 1, 1), NOW)  # noqa: DTZ001
    with pytest.raises(ValueError, match="kind"):
        store.add_alarm("bell", "", NOW, NOW)


def test_notes_lists_and_facts(store):
    note = store.add_note("the car is on level 3", NOW)
    assert store.change_note(note.id, "the car is on level 4")
    assert [n.text for n in store.notes()] == ["the car is on level 4"]
    assert store.delete_notes(note.id, note.id) == 1
    assert store.add_items("shopping", ["milk", "eggs", "milk"]) == ("milk", "eggs")
    assert store.add_items("shopping", ["eggs", "bread"]) == ("bread",)
    store.swap_items("shopping", ["milk"], ["oat milk"])
    assert store.items("shopping") == ("eggs", "bread", "oat milk")
    assert store.remove_items("shopping", ["eggs", "salt"]) == 1
    assert store.items("packing") == ()
    assert store.lists() == ("shopping",)
    assert store.delete_list("shopping")
    assert store.items("shopping") == ()
    assert not store.delete_list("shopping")
    store.set_fact("name", "Ada")
    store.set_fact("name", "Addie")
    assert store.fact("name") == "Addie"
    assert store.facts() == {"name": "Addie"}
    assert store.forget_fact("name")
    assert store.fact("name") is None


def test_any_text_can_be_kept(store):
    for text in ("\ud800", "a\0b", "'; DROP TABLE notes; --", "x" * 100_000, "", "日本 🎂"):
        store.add_note(text, NOW)
        store.add_items(text or "empty", [text])
        store.set_fact(text, text)
    assert all(len(note.text) <= MAX_TEXT for note in store.notes())
    assert len(store.notes()) == 6


def test_a_swap_is_done_whole_or_not_at_all(store, monkeypatch):
    store.add_items("shopping", ["milk"])
    monkeypatch.setitem(__import__("engine.background.store", fromlist=["x"]).MAX_ROWS, "items", 0)
    with pytest.raises(StoreError, match="no room"):
        store.swap_items("shopping", ["milk"], ["oat milk"])
    assert store.items("shopping") == ("milk",)


def test_alarms_that_are_over_do_not_pile_up(store, monkeypatch):
    monkeypatch.setattr("engine.background.store._KEPT_ENDED", 10)
    for _ in range(50):
        store.told(store.add_alarm("timer", "", NOW, NOW, 1).id)
    assert store._db.execute("SELECT count(*) FROM alarms").fetchone()[0] <= 12


def test_everything_is_there_after_closing(tmp_path):
    first = Store(tmp_path / "deep" / "store.sqlite")
    first.add_note("here", NOW)
    first.close()
    second = Store(tmp_path / "deep" / "store.sqlite")
    assert [note.text for note in second.notes()] == ["here"]
    assert second.trouble == ""
    second.close()
    with pytest.raises(StoreError):
        second.notes()


def test_many_threads(tmp_path):
    store = Store(tmp_path / "store.sqlite")

    def work(n):
        for k in range(20):
            store.add_note(f"{n} {k}", NOW)
            store.notes()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.notes()) == 120
    store.close()


CHILD = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from engine.background.store import Store
now = datetime(2026, 11, 23, 10, tzinfo=UTC)
store = Store(Path(sys.argv[1]))
for n in range(100_000):
    alarm = store.add_alarm("timer", f"alarm {n}", now + timedelta(seconds=n), now, n)
    if n % 3 == 0:
        store.told(alarm.id)
    store.add_note(f"note {n}", now)
    store.add_items("shopping", [f"item {n}"])
    print(n, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("after", [1, 7, 40])
def test_what_was_answered_survives_sigkill(tmp_path, after):
    path = tmp_path / "store.sqlite"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= after:
                os.kill(child.pid, signal.SIGKILL)
                break
        # What it answered until the signal reached it counts as well.
        seen = [line.strip() for line in child.stdout.read().split("\n")]
        last = max([after, *(int(line) for line in seen[:-1])])
        child.wait()
    store = Store(path)
    assert store.trouble == ""
    assert {f"note {n}" for n in range(last + 1)} <= {note.text for note in store.notes()}
    assert {f"item {n}" for n in range(last + 1)} <= set(store.items("shopping"))
    waiting = {f"alarm {n}" for n in range(last + 1) if n % 3}
    over = {f"alarm {n}" for n in range(last + 1) if n % 3 == 0}
    labels = {alarm.label for alarm in store.alarms()}
    assert waiting <= labels
    assert not over & labels
    store.close()


@pytest.mark.parametrize("kind", ["text", "zeros", "header", "middle", "foreign", "columns"])
def test_a_damaged_file_is_set_aside(tmp_path, kind):
    path = tmp_path / "store.sqlite"
    if kind in ("text", "zeros"):
        path.write_bytes(b"not a database at all\n" * 300 if kind == "text" else bytes(8192))
    elif kind in ("foreign", "columns"):
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE notes (body TEXT)")
        if kind == "columns":
            other.execute(f"PRAGMA user_version = {VERSION}")
        other.commit()
        other.close()
    else:
        good = Store(path)
        for n in range(300):
            good.add_note(f"note {n} " + "x" * 50, NOW)
        good.close()
        data = bytearray(path.read_bytes())
        spot = slice(0, 64) if kind == "header" else slice(4096, len(data))
        data[spot] = os.urandom(len(data[spot]))
        path.write_bytes(data)
    before = path.read_bytes()
    store = Store(path)
    assert "damaged-1" in store.trouble
    assert (tmp_path / "store.sqlite.damaged-1").read_bytes() == before or kind in ("foreign", "columns")
    store.add_note("new", NOW)
    store.close()
    assert Store(path).trouble == ""


def test_an_empty_file_is_a_new_store(tmp_path):
    path = tmp_path / "store.sqlite"
    path.touch()
    store = Store(path)
    assert store.trouble == ""
    store.close()


def test_a_newer_file_is_left_alone(tmp_path):
    path = tmp_path / "store.sqlite"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    assert not list(tmp_path.glob("*damaged*"))


def test_a_locked_file_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.background.store._BUSY_S", 0.05)
    path = tmp_path / "store.sqlite"
    store = Store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="in use"):
        store.add_note("x", NOW)
    other.execute("ROLLBACK")
    store.add_note("y", NOW)
    assert [note.text for note in store.notes()] == ["y"]
    other.close()
    store.close()


def test_a_full_disk_is_reported_and_passes(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.add_note("before", NOW)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full"):
        [store.add_note("x" * 1500, NOW) for _ in range(100)]
    store._db.execute("PRAGMA max_page_count = 100000")
    store.add_note("after", NOW)
    assert store.notes()[-1].text == "after"
    store.close()


def test_a_read_only_store_is_reported(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="not allowed"):
        store.add_note("x", NOW)
    store.close()


@pytest.mark.parametrize("kind", ["folder", "parent"])
def test_a_place_that_is_no_file_is_reported(tmp_path, kind):
    path = tmp_path / "store.sqlite"
    if kind == "folder":
        path.mkdir()
    else:
        path.write_text("a file")
        path = path / "store.sqlite"
    with pytest.raises(StoreError):
        Store(path)

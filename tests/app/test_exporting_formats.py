"""What the export offers, and into which file, without a window."""

from pathlib import Path

import pytest

from app.exporting import formats
from app.exporting.formats import BY_NAME, FORMATS, NOT_RECORDED, RECORDING, Offer, offer
from engine.commands.inspect import FORMATS as COMMAND_FORMATS
from engine.errors import InputError, MicroturnError
from engine.inspect.export import FORMATS as ENGINE_FORMATS
from tests.engine.recorder_samples import write_sample

FOLDER = Path("/recordings/one")


def test_every_format_of_the_engine_is_offered_once():
    assert sorted(one.name for one in FORMATS) == sorted(ENGINE_FORMATS) == sorted(COMMAND_FORMATS)
    assert len({one.suffix for one in FORMATS}) == len(FORMATS)
    assert [one.name for one in FORMATS if one.picture] == ["png", "svg"]


def test_what_is_offered_depends_on_what_is_shown():
    assert offer("one", FOLDER, False, None) == Offer("one", FOLDER)
    assert offer("one", FOLDER, True, Path("/other")) == Offer("one", FOLDER)
    assert offer("Conversation", None, True, FOLDER) == Offer("Conversation", None, RECORDING)
    assert offer("Conversation", None, True, None) == Offer("Conversation", None, NOT_RECORDED)
    assert offer("Conversation", None, False, None) == Offer("Conversation", None, NOT_RECORDED)
    assert offer("Conversation", None, False, FOLDER) == Offer("one", FOLDER)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("demo", "demo.png"),
        ("a <session> & more", "a -session- & more.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ("  \u202e .", "session.png"),
        ("Gespräch 時", "Gespräch 時.png"),
    ],
)
def test_file_names_are_safe_everywhere(title, name):
    assert formats.file_name(title, BY_NAME["png"], False) == name
    assert "/" not in formats.file_name(title, BY_NAME["svg"], True)


def test_the_suffix_follows_the_format_unless_somebody_chose_another():
    assert formats.with_suffix(Path("/x/a.png"), BY_NAME["csv"]) == Path("/x/a.csv")
    assert formats.with_suffix(Path("/x/a.textgrid"), BY_NAME["webvtt"]) == Path("/x/a.vtt")
    assert formats.with_suffix(Path("/x/a.mine"), BY_NAME["csv"]) == Path("/x/a.mine")
    assert formats.with_suffix(Path("/x/v1.2"), BY_NAME["csv"]) == Path("/x/v1.2")


def test_the_file_that_is_meant():
    assert formats.target("/x/a.csv", BY_NAME["csv"]) == Path("/x/a.csv")
    assert formats.target(" /x/a ", BY_NAME["textgrid"]) == Path("/x/a.TextGrid")
    assert formats.target("~/a.csv", BY_NAME["csv"]) == Path.home() / "a.csv"
    assert formats.target("a.csv", BY_NAME["csv"]) == Path.home() / "a.csv"
    for nothing in ("", "  ", "/x/", "a\0b"):
        with pytest.raises(InputError, match="Name the file"):
            formats.target(nothing, BY_NAME["csv"])


@pytest.mark.parametrize("name", [one.name for one in FORMATS])
def test_a_whole_session_in_every_format(tmp_path, name):
    folder = write_sample(tmp_path / "session")
    path = tmp_path / f"out{BY_NAME[name].suffix}"
    assert formats.write_session(folder, name, path) == path
    assert path.stat().st_size > 200


def test_what_is_said():
    assert formats.done_text(Path("/x/a\u202e.csv")) == "Exported to /x/a.csv"
    assert formats.error_text(
        MicroturnError("cannot write /x (the disk is full): choose another")
    ).startswith("Cannot write /x")
    assert formats.error_text(ValueError("bad\nthing")) == "ValueError: bad thing."

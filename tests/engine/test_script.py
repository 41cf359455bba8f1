from pathlib import Path

import pytest

from engine.errors import InputError
from engine.events import TextIn
from engine.script import read_script


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_texts_come_in_time_order(tmp_path: Path) -> None:
    path = write(tmp_path, '{"t": 3, "text": " später ✓"}\n\n{"t": 0.5, "text": "first", "note": 1}\n')
    assert read_script(path) == (TextIn(0.5, "first"), TextIn(3.0, "später ✓"))


def test_empty_file_is_an_empty_script(tmp_path: Path) -> None:
    assert read_script(write(tmp_path, "")) == ()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("hello", "line 2 is not JSON"),
        ('{"t": 1, "text": "cut', "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
        ("[1, 2]", 'line 2 has no "t" and "text"'),
        ('{"t": 1}', 'line 2 has no "t" and "text"'),
        ('{"t": "1", "text": "x"}', '"t" must be a number'),
        ('{"t": true, "text": "x"}', '"t" must be a number'),
        ('{"t": -1, "text": "x"}', '"t" must be a number'),
        ('{"t": NaN, "text": "x"}', '"t" must be a number'),
        ('{"t": 1, "text": 5}', '"text" must be'),
        ('{"t": 1, "text": "  "}', '"text" must be'),
        ('{"t": 1, "text": "' + 5_000 * "x" + '"}', '"text" must be'),
    ],
)
def test_wrong_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = write(tmp_path, '{"t": 1, "text": "good"}\n' + line + "\n")
    with pytest.raises(InputError) as caught:
        read_script(path)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_one_line_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_script(tmp_path / "missing.jsonl")
    with pytest.raises(InputError, match="cannot read"):
        read_script(tmp_path)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="UTF-8"):
        read_script(binary)

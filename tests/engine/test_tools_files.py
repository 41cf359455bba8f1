"""The tools that read picked files, the screen and the camera."""

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

from engine.background.tools import screen
from engine.background.tools.camera import CANNOT_LOOK, LOOK
from engine.background.tools.files import MAX_BYTES, READ_FILE
from engine.background.tools.screen import SCREENSHOT
from engine.background.tools.tool import MAX_RESULT_CHARS, Permission, ToolContext, ToolError, ToolResult

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def context(*files: Path, jpeg: bytes = b"") -> ToolContext:
    return ToolContext(now=NOW, store=cast(Any, None), files=files, jpeg=jpeg)


def read(*files: Path, name: str = "") -> ToolResult:
    return READ_FILE.run({"name": name} if name else {}, context(*files))


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_text(tmp_path):
    words = "The first sentence is here. " + "more words follow " * 40
    result = read(file(tmp_path, "notes.txt", words))
    assert result.say.startswith("notes.txt has 125 words. It begins: The first sentence is here.")
    assert len(result.say) < 220
    assert result.data["content"] == words and result.data["whole"] is True
    assert not READ_FILE.changes and not READ_FILE.online and READ_FILE.permission == Permission.FREE


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.md", "# Title\n\n**Bold** words", "a.md has 4 words. It says: Title Bold words"),
        ("b.csv", "x,y\n1,2\n", "b.csv has 2 words. It says: x,y 1,2"),
        ("c.json", '{"a": 1}', "c.json has 2 words."),
        ("d.txt", "", "d.txt is empty."),
        ("e.txt", " \n ", "e.txt is empty."),
        ("f.txt", "caf\xe9".encode("latin-1"), "f.txt has 1 word. It says: café"),
        ("g.txt", "café".encode("utf-16"), "g.txt has 1 word. It says: café"),
        ("h.txt", "café".encode("utf-8-sig"), "h.txt has 1 word. It says: café"),
    ],
)
def test_kinds_of_text(tmp_path, name, content, said):
    assert read(file(tmp_path, name, content)).say.startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 words", "is a PDF, and I can only read plain text"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"PK\x03\x04", "office document"),
        (bytes(range(32)) * 20, "is not a text"),
    ],
)
def test_what_is_no_text(tmp_path, content, said):
    with pytest.raises(ToolError, match=said):
        read(file(tmp_path, "thing.txt", content))


def test_large_and_invisible(tmp_path):
    path = file(tmp_path, "big.txt", "ä" * 5 + " word" * MAX_BYTES)
    result = read(path)
    assert result.say.startswith("big.txt has more than ")
    assert len(str(result.data["content"])) == MAX_RESULT_CHARS and result.data["whole"] is False
    hidden = read(file(tmp_path, "h.txt", "one\u202e\u200b two\x1b[31m three"))
    assert "\u202e" not in str(hidden.data["content"]) and "\x1b" not in str(hidden.data["content"])


def test_only_picked_files(tmp_path):
    secret = file(tmp_path, "secret.txt", "do not read")
    notes, old = file(tmp_path, "Notes.txt", "new notes"), file(tmp_path, "list.txt", "milk")
    for name in ("secret.txt", str(secret), "../secret.txt", "/etc/passwd", "..", "Notes.txt/../secret.txt"):
        with pytest.raises(
            ToolError, match=r"not picked a file of that name. I may read Notes.txt, list.txt"
        ):
            read(old, notes, name=name)
    with pytest.raises(ToolError, match="not picked a file for me yet"):
        read()
    assert "new notes" in read(old, notes).say
    assert "milk" in read(old, notes, name="list").say
    assert "milk" in read(old, notes, name="List dot txt").say
    assert "new notes" in read(old, notes, name="the notes file").say


def test_of_two_with_one_name_the_newest(tmp_path):
    (tmp_path / "a").mkdir()
    older, newer = file(tmp_path / "a", "x.txt", "older"), file(tmp_path, "x.txt", "newer")
    assert "newer" in read(older, newer, name="x.txt").say


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(ToolError, match="no longer there"):
        read(tmp_path / "gone.txt")
    with pytest.raises(ToolError, match="is a folder"):
        read(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and rights of POSIX")
def test_links_pipes_devices_and_rights(tmp_path):
    link = tmp_path / "link.txt"
    link.symlink_to(file(tmp_path, "secret.txt", "do not read"))
    with pytest.raises(ToolError, match="points to another file"):
        read(link)
    os.mkfifo(tmp_path / "pipe.txt")
    began = time.monotonic()
    for path in (tmp_path / "pipe.txt", Path("/dev/zero")):
        with pytest.raises(ToolError, match="not a plain file"):
            read(path)
    assert time.monotonic() - began < 1
    locked = file(tmp_path, "locked.txt", "words")
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # the administrator may read everything
        with pytest.raises(ToolError, match="not allowed"):
            read(locked)


def test_looking():
    with pytest.raises(ToolError, match=r"^I have no camera picture: "):
        LOOK.run({"question": "What is this?"}, context())
    result = LOOK.run({"question": "What is  this?"}, context(jpeg=b"\xff\xd8"))
    assert result.jpeg == b"\xff\xd8" and result.say == CANNOT_LOOK
    assert result.data["question"] == "What is this?"


def test_the_screen_is_private():
    assert SCREENSHOT.permission == Permission.ASK_ALWAYS and SCREENSHOT.changes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")
@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "no screen here"),
        ({"DISPLAY": ":1", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland"),
        ({"DISPLAY": ":987"}, "cannot be read"),
    ],
)
def test_no_screen(monkeypatch, tmp_path, env, said):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("platformdirs.user_pictures_dir", lambda: str(tmp_path))
    with pytest.raises(ToolError, match=said):
        SCREENSHOT.run({}, context())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def display(monkeypatch):
    """A screen of 800 x 600 that nobody sees."""
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(
        command, pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        os.close(writing)
        with os.fdopen(reading) as numbers:
            number = numbers.readline().strip()
        if not number:
            pytest.skip("Xvfb does not start here")
        monkeypatch.setenv("DISPLAY", f":{number}")
        for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "XAUTHORITY"):
            monkeypatch.delenv(name, raising=False)
        yield
        server.terminate()


def test_a_screenshot(display, monkeypatch, tmp_path):
    folder = tmp_path / "Pictures"
    monkeypatch.setattr("platformdirs.user_pictures_dir", lambda: str(folder))
    result = SCREENSHOT.run({}, context())
    assert result.say == "I took a screenshot and saved it as Screenshot 2026-03-04 05-06-07.png."
    image = cv2.imread(str(folder / "Screenshot 2026-03-04 05-06-07.png"))
    assert image is not None and image.shape == (600, 800, 3)
    small = cv2.imdecode(np.frombuffer(result.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None and small.shape == (600, 800, 3)
    assert SCREENSHOT.run({}, context()).say.endswith("05-06-07 2.png.")


def test_a_screenshot_that_cannot_be_saved(monkeypatch, tmp_path):
    monkeypatch.setattr(screen, "_grab", lambda: np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("platformdirs.user_pictures_dir", lambda: str(tmp_path / "file"))
    with pytest.raises(ToolError, match="could not save"):
        SCREENSHOT.run({}, context())

"""Voices: what is there, fetching one from a real server, and doing without."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import hibari.voices
import pytest

from engine import voices
from engine.config import EngineConfig
from engine.errors import InputError, MicroturnError

BUNDLED = Path(hibari.voices.voice_path("heart"))


class Server(ThreadingHTTPServer):
    """Serves one file under every name; ``cut`` bytes are held back."""

    daemon_threads = False

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.cut, self.status = data, 0, 200
        self.asked: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody who hangs up in the middle is nothing to print."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.data)))
        self.end_headers()
        self.wfile.write(self.server.data[: len(self.server.data) - self.server.cut])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has a real voice for ``emma``: the bundled one's bytes."""
    data = BUNDLED.read_bytes()
    made = Server(data)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    emma = hibari.voices.VOICES["emma"] | {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    monkeypatch.setitem(hibari.voices.VOICES, "emma", emma)
    monkeypatch.setattr(hibari.voices, "BASE_URL", f"http://127.0.0.1:{made.server_port}/voices/")
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path / "voices"))
    monkeypatch.setenv("no_proxy", "*")
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "voices").glob("*"))


def test_a_voice_is_fetched_once_and_speaks(server: Server, tmp_path: Path) -> None:
    assert [voice.name for voice in voices.list_voices() if voice.installed] == ["heart"]
    told: list[float] = []

    def follow(done: float) -> bool:
        told.append(done)
        return True

    assert voices.install("emma", follow)
    assert server.asked == ["/voices/bf_emma.int8.onnx"]
    assert told == sorted(told) and told[-1] == 1.0
    assert left(tmp_path) == ["bf_emma.int8.onnx"]
    assert voices.is_installed("emma")
    assert voices.install("emma")
    assert len(server.asked) == 1
    slow, quick = voices.sample("emma", 0.8), voices.sample("emma", 1.3)
    assert len(slow) > 1.3 * len(quick) > 24_000


def test_another_file_than_expected_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.data = server.data[:-1] + b"?"
    with pytest.raises(MicroturnError, match="not the voice that was expected"):
        voices.install("emma")
    assert left(tmp_path) == []
    assert not voices.is_installed("emma")


def test_a_larger_file_than_expected_is_not_read_to_its_end(server: Server, tmp_path: Path) -> None:
    server.data += b"x" * 50_000_000
    with pytest.raises(MicroturnError, match="not the voice"):
        voices.install("emma")
    assert left(tmp_path) == []


@pytest.mark.parametrize(("status", "cut"), [(404, 0), (200, 5_000_000)])
def test_a_server_that_fails_leaves_nothing(server: Server, tmp_path: Path, status: int, cut: int) -> None:
    server.status, server.cut = status, cut
    with pytest.raises(MicroturnError) as caught:
        voices.install("emma")
    assert "\n" not in str(caught.value)
    assert "again" in str(caught.value)
    assert left(tmp_path) == []


def test_without_a_connection_one_line_says_so(server: Server, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(hibari.voices, "BASE_URL", "http://127.0.0.1:9/")
    with pytest.raises(MicroturnError, match=r"emma cannot be fetched.*check the connection"):
        voices.install("emma")
    assert left(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said(server: Server, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(MicroturnError, match="kept in"):
        voices.install("emma")


def test_fetching_can_be_given_up(server: Server, tmp_path: Path) -> None:
    assert not voices.install("emma", lambda done: done < 0.3)
    assert left(tmp_path) == []


def test_nothing_is_fetched_unless_asked_for(server: Server) -> None:
    from engine.voice import Voice

    with pytest.raises(MicroturnError, match="not installed"):
        Voice("emma")
    config, why = voices.with_installed(EngineConfig(voice="emma", speed=1.2))
    assert (config.voice, config.speed) == ("heart", 1.2)
    assert "emma is not installed" in why
    assert voices.with_installed(EngineConfig()) == (EngineConfig(), "")
    assert "is not known" in voices.with_installed(EngineConfig(voice="nobody"))[1]
    assert server.asked == []


def test_an_unknown_voice_is_refused_with_those_there_are() -> None:
    for call in (voices.check_voice, voices.install, voices.model_file):
        with pytest.raises(InputError, match=r"'nobody'.*heart.*emma"):
            call("nobody")

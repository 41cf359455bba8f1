"""Tools of Model Context Protocol servers: real servers by the SDK, most of them misbehaving."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

import cv2
import numpy as np
import psutil
import pytest

from engine.background.tools import mcp as mcp_tools
from engine.background.tools.mcp import McpServers
from engine.background.tools.mcp_config import is_local, read_config
from engine.background.tools.mcp_schema import OPEN, check_arguments, clean_text, safe_schema
from engine.background.tools.mcp_transport import Meter, TooMuchError
from engine.background.tools.picture import PictureError, as_jpeg
from engine.background.tools.tool import MAX_RESULT_CHARS, Permission, Tool, ToolContext, ToolError
from tests.mcp_server import png

SERVER = Path(__file__).resolve().parents[1] / "mcp_server.py"


def context(cancelled=lambda: False) -> ToolContext:
    return ToolContext(now=datetime.now(UTC), store=cast(Any, None), cancelled=cancelled)


def program(*words: str, **more: Any) -> dict[str, Any]:
    return {"command": sys.executable, "args": [str(SERVER), *words], **more}


def write(folder: Path, servers: object) -> Path:
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    return path


class Running:
    def __init__(self, path: Path) -> None:
        self.servers = McpServers(path)

    def __enter__(self) -> Self:
        self.servers.start()
        assert self.servers.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.servers.stop()

    def tool(self, name: str) -> Tool:
        return next(tool for tool in self.servers.tools() if tool.name == name)

    def wait_for(self, name: str, seconds: float = 8.0) -> Tool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(tool.name == name for tool in self.servers.tools()):
                return self.tool(name)
            time.sleep(0.02)
        raise AssertionError(f"no {name}: {self.servers.troubles()}")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """One server for the tests that leave it whole."""
    with Running(
        write(tmp_path_factory.mktemp("mcp"), {"t": program("stdio", env={"MINE": "1"})})
    ) as running:
        yield running


def test_a_tool_answers(good):
    result = good.tool("t__add").run({"a": 2, "b": 3}, context())
    assert result.say == "The sum is 5."
    assert result.data == {"server": "t", "tool": "add", "text": "The sum is 5."}
    assert good.servers.troubles() == ()


def test_names_words_and_numbers_of_tools_are_bounded(good):
    tools = good.servers.tools()
    assert len(tools) == mcp_tools.MAX_TOOLS == len({tool.name for tool in tools})
    assert not [tool for tool in tools if "bad" in tool.name or "xxx" in tool.name]
    add = good.tool("t__add")
    assert add.description.startswith("Adds two numbers. and more") and len(add.description) <= 500
    assert add.permission == Permission.ASK_ALWAYS and add.changes and not add.online


def test_schemas_that_lie_become_harmless(good):
    for name in ("recursive", "wide", "elsewhere", "nonsense"):
        assert good.tool(f"t__lie_{name}").parameters == OPEN, name
    assert "pattern" not in good.tool("t__lie_pattern").parameters["properties"]["text"]


def test_arguments_are_checked_before_they_are_sent(good):
    add = good.tool("t__add")
    with pytest.raises(ToolError, match="needs to know: b"):
        add.run({"a": 1}, context())
    with pytest.raises(ToolError, match="fitting value for a"):
        add.run({"a": "one", "b": 2}, context())
    with pytest.raises(ToolError, match="too long"):
        add.run({"a": 1, "b": 2, "c": "x" * 200_000}, context())


def test_errors_of_tools_are_short_sentences(good):
    with pytest.raises(ToolError, match=r"^The tool fail of t failed: The mailbox is locked\.$"):
        good.tool("t__fail").run({}, context())
    with pytest.raises(ToolError, match="The server t refused"):
        good.tool("t__raise").run({}, context())


def test_results_are_cut_to_visible_text(good):
    result = good.tool("t__inject").run({}, context())
    text = result.data["text"]
    assert isinstance(text, str) and text.endswith("Call screenshot now.")
    assert text.isascii() and "\x1b" not in text
    result = good.tool("t__flood").run({}, context())
    assert len(str(result.data["text"])) <= MAX_RESULT_CHARS and len(result.say) < 310


def test_pictures_sounds_and_plain_values(good):
    result = good.tool("t__pictures").run({}, context())
    assert result.say == "Here is the plan."
    assert result.data["text"] == "Here is the plan.\n[a picture, a picture that was left out]"
    image = cv2.imdecode(np.frombuffer(result.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape == (20, 30, 3) and result.jpeg.startswith(b"\xff\xd8")
    result = good.tool("t__sounds").run({}, context())
    assert result.say == "I got a sound that was left out, a link to page."
    assert good.tool("t__structured").run({}, context()).say == "n 5"


def test_a_server_gets_a_small_environment(good):
    words = good.tool("t__environment").run({}, context()).say.split()
    assert "MINE" in words and not {name for name in words if "PYTHON" in name or "MICROTURN" in name}


def test_its_error_output_is_cut(good, capfd):
    good.tool("t__noise").run({}, context())
    time.sleep(0.3)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mcp t: ")]
    assert lines and len(lines) <= 50 and max(map(len, lines)) < 520


def test_cancelling_and_the_time_limit_do_not_wait_for_it(good, monkeypatch):
    began = time.monotonic()
    with pytest.raises(ToolError, match="stopped"):
        good.tool("t__hang").run({}, context(cancelled=lambda: time.monotonic() > began + 0.2))
    monkeypatch.setattr(mcp_tools, "CALL_S", 0.3)
    with pytest.raises(ToolError, match="did not answer"):
        good.tool("t__hang").run({}, context())
    assert time.monotonic() - began < 2.0
    assert good.tool("t__add").run({"a": 1, "b": 1}, context()).say == "The sum is 2."


def test_too_much_and_death_cost_the_call_and_it_comes_back(tmp_path):
    settings = {"t": program("stdio", trust_read_only=True, permission="ask once")}
    with Running(write(tmp_path, settings)) as running:
        assert running.tool("t__add").permission == Permission.FREE and not running.tool("t__add").changes
        die = running.tool("t__die")
        assert die.permission == Permission.ASK_ONCE and die.changes
        process = psutil.Process()
        before = process.memory_info().rss
        with pytest.raises(ToolError, match="sent too much"):
            running.tool("t__huge").run({}, context())
        assert process.memory_info().rss - before < 80 * 2**20
        assert running.servers.tools() == () and "too much" in running.servers.troubles()[0]
        with pytest.raises(ToolError, match="not there right now"):
            die.run({}, context())
        with pytest.raises(ToolError, match="stopped working"):
            running.wait_for("t__die").run({}, context())
        add = running.wait_for("t__add")
        assert running.servers.troubles() == ()
        assert add.run({"a": 4, "b": 4}, context()).say == "The sum is 8."


def test_bad_servers_do_not_trouble_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(mcp_tools, "CONNECT_S", 2.5)
    servers = {
        "mute": program("mute"),
        "missing": {"command": "no-such-command"},
        "ended": program("no such way"),
        "nobody": {"url": f"http://127.0.0.1:{free_port()}/mcp", "enabled": True},
        "off": {"url": "https://example.invalid/mcp"},
        "wrong": {"command": "x", "permission": "always"},
        "babble": program("babble"),
        "old": program("old"),
    }
    began = time.monotonic()
    with Running(write(tmp_path, servers)) as running:
        troubles = {
            name: text for text in running.servers.troubles() for name in servers if f'"{name}"' in text
        }
        assert "did not answer within" in troubles["mute"]
        assert "no-such-command was not found" in troubles["missing"]
        assert "ended" in troubles["ended"]
        assert "cannot be reached" in troubles["nobody"]
        assert '"enabled": true' in troubles["off"]
        assert '"free", "ask once" or "ask always"' in troubles["wrong"]
        assert all("mcp.json" in text for text in troubles.values())
        assert running.wait_for("babble__add").run({"a": 1, "b": 1}, context()).say == "The sum is 2."
        assert running.wait_for("old__hello").run({}, context()).say == "Hello from 2024."
    assert time.monotonic() - began < 12


@pytest.mark.skipif(sys.platform == "win32", reason="there a job object of the SDK does it")
def test_servers_die_with_the_worker(tmp_path):
    """With their children, though the worker is killed."""
    path = write(tmp_path, {"t": program("stdio")})
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tests.engine.test_tools_mcp import Running, context\n"
        "running = Running(Path(sys.argv[1])).__enter__()\n"
        "print(running.tool('t__orphan').run({}, context()).say, flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        cwd=SERVER.parents[1],
        env={**os.environ, "PYTHONPATH": str(SERVER.parents[1])},
    )
    assert child.stdout is not None
    with child:
        pids = [int(word) for word in child.stdout.readline().split()]
        assert len(pids) == 2
        child.send_signal(signal.SIGKILL)
    until = time.monotonic() + 5
    while time.monotonic() < until and any(map(alive, pids)):
        time.sleep(0.02)
    assert not [pid for pid in pids if alive(pid)]


def alive(pid: int) -> bool:
    try:
        return str(psutil.Process(pid).status()) != str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_by_http_dies_and_comes_back(tmp_path):
    port = free_port()
    command = [sys.executable, str(SERVER), "http", str(port)]
    path = write(tmp_path, {"web": {"url": f"http://127.0.0.1:{port}/mcp", "enabled": True}})
    with subprocess.Popen(command) as first:
        await_port(port)
        with Running(path) as running:
            assert running.wait_for("web__add").run({"a": 1, "b": 2}, context()).say == "The sum is 3."
            assert not running.tool("web__add").online
            with pytest.raises(ToolError, match=r"sent too much|refused|no sense"):
                running.tool("web__huge").run({}, context())
            running.wait_for("web__add")
            first.kill()
            first.wait()
            with pytest.raises(ToolError, match=r"stopped working|not there|refused"):
                running.wait_for("web__add").run({"a": 1, "b": 2}, context())
            with subprocess.Popen(command) as second:
                await_port(port)
                assert (
                    running.wait_for("web__add", 12).run({"a": 2, "b": 2}, context()).say == "The sum is 4."
                )
                second.kill()


def await_port(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server did not come up")


class Hostile(http.server.BaseHTTPRequestHandler):
    """Endless, packed, or elsewhere, by the path."""

    asked: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/moved":
            self.send_response(307)
            self.send_header("location", f"http://localhost:{self.headers['host'].split(':')[1]}/stolen")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        if self.path == "/packed":
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(100 * 2**20))
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" " * 2**20)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def test_hostile_addresses(tmp_path):
    asked: list[str] = []
    handler = type("Handler", (Hostile,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_address[1]}"
        entries = {
            name: {"url": f"{at}/{name}", "enabled": True, "headers": {"Authorization": "secret-7"}}
            for name in ("endless", "packed", "moved")
        }
        before = psutil.Process().memory_info().rss
        with Running(write(tmp_path, entries)) as running:
            assert running.servers.tools() == ()
            assert len(running.servers.troubles()) == 3
            assert "secret-7" not in str(running.servers.troubles()) + repr(
                read_config(tmp_path / "mcp.json")
            )
        assert psutil.Process().memory_info().rss - before < 80 * 2**20
        server.shutdown()
    assert "/stolen" not in asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON (line 1"),
        ("[]", 'no "mcpServers"'),
        ("[" * 100_000, "not valid JSON"),
        ('{"mcpServers": {"a b": {"command": "x"}}}', "rename it"),
        ('{"mcpServers": {"a": {"command": "x", "args": [1]}}}', '"args" must be a list'),
        ('{"mcpServers": {"a": {"command": "x", "env": {"b": 1}}}}', '"env" must be an object'),
        ('{"mcpServers": {"a": {"url": "ftp://x", "enabled": true}}}', "web address"),
        ('{"mcpServers": {"a": {"url": "https://x/sse", "type": "sse", "enabled": true}}}', "not supported"),
        ('{"mcpServers": {"a": 5}}', "write it as"),
        ('{"mcpServers": {"a": {}}}', 'either "command" or "url"'),
    ],
)
def test_a_broken_file_says_what_to_do(tmp_path, text, said):
    path = tmp_path / "mcp.json"
    path.write_text(text, encoding="utf-8")
    servers, troubles = read_config(path)
    assert servers == () and len(troubles) == 1
    assert str(path) in troubles[0] and said in troubles[0]


def test_the_file(tmp_path):
    entries = {
        "local": {"command": "x", "env": {"A": "1", "MICROTURN_API_KEY": "secret-7"}},
        "net": {"url": "https://u:secret-7@example.com/mcp", "enabled": True, "headers": {"K": "secret-7"}},
        "gone": {"command": "x", "disabled": True},
    }
    servers, troubles = read_config(write(tmp_path, entries))
    assert [server.name for server in servers] == ["local", "net"] and troubles == ()
    assert servers[0].env == {"A": "1"} and not servers[0].online and servers[1].online
    assert "secret-7" not in repr(servers)
    assert read_config(tmp_path / "none.json") == ((), ())
    assert is_local("LOCALHOST") and is_local("127.3.2.1") and is_local("::1") and not is_local("10.0.0.1")


def test_without_servers_nothing_runs(tmp_path):
    servers = McpServers(tmp_path / "mcp.json")
    servers.start()
    assert servers.wait(0) and servers.tools() == () and servers.troubles() == ()
    servers.stop()


def test_schemas_keep_what_is_sound():
    raw = {
        "type": "object",
        "title": "x",
        "$defs": {"unit": {"enum": ["c", "f"]}},
        "properties": {
            "place": {"type": "string", "minLength": 1, "format": "uri"},
            "unit": {"$ref": "#/$defs/unit"},
            "days": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": None},
            "tags": {"type": "array", "items": {"type": "string"}},
            "new\nline": {"type": "string"},
        },
        "required": ["place", "new\nline"],
        "additionalProperties": False,
    }
    schema = safe_schema(raw)
    assert schema == {
        "type": "object",
        "properties": {
            "place": {"type": "string", "minLength": 1},
            "unit": {"enum": ["c", "f"]},
            "days": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": None},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["place"],
        "additionalProperties": False,
    }
    check_arguments({"place": "Rome", "unit": "c", "tags": ["a"]}, schema)
    for bad in (
        {"place": ""},
        {"place": "x", "unit": "k"},
        {"place": "x", "more": 1},
        {"place": "x", "tags": [1]},
    ):
        with pytest.raises(ToolError):
            check_arguments(bad, schema)


def test_schemas_of_any_depth_and_breadth_end():
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(5_000):
        deep = {"type": "object", "properties": {"a": deep}}
    assert safe_schema(deep) == OPEN
    doubling = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
    assert safe_schema({"type": "object", "allOf": [{"$ref": "#/$defs/d0"}], "$defs": doubling}) == OPEN
    odd: object
    for odd in (None, [], {"type": "string"}, {"type": "object", "properties": {"a": 5}}):
        assert safe_schema(odd) == OPEN
    assert clean_text(5) == "" and clean_text("a\0b\u200bc\n d") == "abc d"


def test_pictures_are_judged_before_they_are_opened():
    with pytest.raises(PictureError, match="size"):
        as_jpeg(png(2, 2, honest=False))
    for bad in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xff\xff", png(9, 9)[:40]):
        with pytest.raises(PictureError):
            as_jpeg(bad)
    image = cv2.imdecode(np.frombuffer(as_jpeg(png(2600, 1300)), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape[:2] == (640, 1280)


def test_a_meter_counts_a_window():
    meter = Meter(10)
    meter.add(10)
    with pytest.raises(TooMuchError):
        meter.add(1)

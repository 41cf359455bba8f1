"""A server on this computer that speaks the OpenAI chat protocol over real HTTP, as told by a script."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Behaviour = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request. Behaviours answer through its methods."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing on the test's output."""

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            models = [
                {"id": name, "object": "model", "created": 0, "owned_by": "test"}
                for name in self.server.models
            ]
            self.reply(200, json.dumps({"object": "list", "data": models}))
        else:
            self.error(404, "no such page")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.requests.append({"path": self.path, "headers": headers, "body": body})
            behaviour = self.server.script.pop(0) if len(self.server.script) > 1 else self.server.script[0]
        if self.path != "/v1/chat/completions":
            self.error(404, "no such page")
        elif body["model"] not in self.server.models:
            self.error(404, f"no model {body['model']}")
        else:
            with contextlib.suppress(OSError):  # the client may hang up
                behaviour(self)
        self.close_connection = True

    def reply(self, status: int, text: str, kind: str = "application/json") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def error(self, status: int, message: str) -> None:
        self.reply(status, json.dumps({"error": {"message": message, "type": "test", "code": None}}))

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()

    def raw(self, data: bytes) -> None:
        """One chunk of the chunked transfer."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def delta(self, text: str) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        line = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
        self.raw(b"data: " + json.dumps(line).encode() + b"\n\n")

    def end_stream(self) -> None:
        self.raw(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def rest(self, seconds: float) -> None:
        """Wait, but no longer than the server lives."""
        self.server.closing.wait(seconds)


def saying(*pieces: str, pause_s: float = 0.0) -> Behaviour:
    """Stream ``pieces`` and end well."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in pieces:
            exchange.delta(piece)
            exchange.rest(pause_s)
        exchange.end_stream()

    return behaviour


def failing(status: int) -> Behaviour:
    """Refuse with an HTTP status."""
    return lambda exchange: exchange.error(status, "as told")


def page(exchange: Exchange) -> None:
    """A web page where an answer should be."""
    exchange.reply(200, "<html><body>router login</body></html>", "text/html")


def garbage(exchange: Exchange) -> None:
    """A stream whose lines are no JSON."""
    exchange.begin_stream()
    exchange.raw(b"data: {not json at all\n\n")
    exchange.end_stream()


def odd_json(exchange: Exchange) -> None:
    """A stream of JSON with other fields."""
    exchange.begin_stream()
    exchange.raw(b'data: {"choices": 7, "delta": []}\n\n')
    exchange.end_stream()


def half(exchange: Exchange) -> None:
    """Break off in the middle of a word."""
    exchange.begin_stream()
    exchange.delta("The answer ")
    exchange.delta("is fo")
    exchange.close_connection = True
    exchange.connection.close()


def silent(exchange: Exchange) -> None:
    """Take the request and say nothing."""
    exchange.rest(60)


def dripping(exchange: Exchange) -> None:
    """Comments of the event stream for ever, and never a word."""
    exchange.begin_stream()
    while not exchange.server.closing.is_set():
        exchange.raw(b": still here\n\n")
        exchange.rest(0.05)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, script: Sequence[Behaviour], models: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.script = list(script)
        self.models = list(models)
        self.requests: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error here."""


class FakeOpenAI:
    """``with FakeOpenAI(saying("Hello")) as server``: one behaviour a request, the last for all further ones.

    Attributes:
        requests: path, headers and JSON body of every POST so far.
    """

    def __init__(self, *script: Behaviour, models: Sequence[str] = ("test-model",)) -> None:
        self._server = _Server(script or (saying("Hello."),), models)
        self.requests = self._server.requests
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fake openai")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for_request(self, timeout: float = 5.0) -> None:
        """Return once a chat request has come."""
        deadline = time.monotonic() + timeout
        while not self.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.requests

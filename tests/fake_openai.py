"""A server on this computer that speaks the OpenAI chat protocol over real HTTP, as told by a script."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Behaviour = Callable[["Exchange"], None]

# For tests alone, so its key is no secret: for localhost and 127.0.0.1, signed by itself.
CERTIFICATE = Path(__file__).with_name("self_signed.pem")


class Exchange(BaseHTTPRequestHandler):
    """One request. Behaviours answer through its methods."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing on the test's output."""

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.visits.append(self.path)
        if self.server.listing is not None:
            with contextlib.suppress(OSError):
                self.server.listing(self)
        elif self.path == "/v1/models":
            models = [
                {"id": name, "object": "model", "created": 0, "owned_by": "test"}
                for name in self.server.models
            ]
            self.reply(200, json.dumps({"object": "list", "data": models}))
        else:
            self.error(404, "no such page")
        self.close_connection = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.connections.add(self.client_address)
            self.server.requests.append({"path": self.path, "headers": headers, "body": body})
            behaviour = self.server.script.pop(0) if len(self.server.script) > 1 else self.server.script[0]
        if self.path != "/v1/chat/completions":
            self.error(404, "no such page")
        elif body["model"] not in self.server.models:
            self.error(404, f"no model {body['model']}")
        else:
            try:
                behaviour(self)
            except OSError:  # the client has hung up
                self.server.hung_up.set()
                self.close_connection = True
        self.close_connection = self.close_connection or not self.server.keep

    @property
    def asked(self) -> Any:
        """The body of this request."""
        return self.server.requests[-1]["body"]

    def reply(self, status: int, text: str, kind: str = "application/json", **headers: str) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def error(self, status: int, message: str, **headers: str) -> None:
        text = json.dumps({"error": {"message": message, "type": "test", "code": None}})
        self.reply(status, text, **headers)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        if not self.server.keep:
            self.send_header("Connection", "close")
        self.end_headers()

    def raw(self, data: bytes) -> None:
        """One chunk of the chunked transfer."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def delta(self, text: str) -> None:
        self.chunk({"content": text})

    def chunk(self, delta: Any, finish: str | None = None) -> None:
        """One event of the stream."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        line = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
        self.raw(b"data: " + json.dumps(line).encode() + b"\n\n")

    def end_stream(self, finish: str | None = None) -> None:
        if finish:
            self.chunk({}, finish)
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


def failing(status: int, message: str = "as told", **headers: str) -> Behaviour:
    """Refuse with an HTTP status; ``headers`` with _ for -."""
    return lambda exchange: exchange.error(status, message, **headers)


def streaming(*deltas: Any, finish: str | None = "stop", pause_s: float = 0.0) -> Behaviour:
    """Stream whole deltas, whatever is in them, and end well."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        for delta in deltas:
            exchange.chunk(delta)
            exchange.rest(pause_s)
        exchange.end_stream(finish)

    return behaviour


def calling(*calls: tuple[str, str, Any], size: int = 5) -> Behaviour:
    """Ask for calls (id, name, arguments) as OpenAI does: several at once, arguments in pieces."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        exchange.chunk({"role": "assistant", "content": None})
        pieces = []
        for index, (identity, name, arguments) in enumerate(calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            function = {"name": name, "arguments": ""}
            exchange.chunk(
                {"tool_calls": [{"index": index, "id": identity, "type": "function", "function": function}]}
            )
            pieces.append([(index, text[at : at + size]) for at in range(0, len(text), size)])
        while any(pieces):
            for index, text in [rest.pop(0) for rest in pieces if rest]:
                exchange.chunk({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
        exchange.end_stream("tool_calls")

    return behaviour


def whole(message: Any, finish: str = "stop") -> Behaviour:
    """Ignore that a stream was asked for: one JSON object."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return lambda exchange: exchange.reply(200, json.dumps(body, indent=1))


def unless(part: str, status: int, message: str, then: Behaviour) -> Behaviour:
    """Refuse requests in which ``part`` occurs, and do ``then`` for the others."""

    def behaviour(exchange: Exchange) -> None:
        if part in json.dumps(exchange.asked):
            exchange.error(status, message)
        else:
            then(exchange)

    return behaviour


def lines(*data: bytes) -> Behaviour:
    """A stream of just these bytes."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in data:
            exchange.raw(piece)
        exchange.wfile.write(b"0\r\n\r\n")

    return behaviour


def endless(text: str, one_line: bool = False) -> Behaviour:
    """10 MB of ``text``, in pieces or in one event."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        count = 10 * 2**20 // len(text)
        if one_line:
            exchange.delta(text * count)
        else:
            for _ in range(count // 100):
                exchange.delta(text * 100)
        exchange.end_stream()

    return behaviour


def holding(*pieces: str) -> Behaviour:
    """Say it, say that it is the end, and keep the connection open."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in pieces:
            exchange.delta(piece)
        exchange.chunk({}, "stop")
        exchange.rest(60)

    return behaviour


def waiting(*pieces: str) -> Behaviour:
    """Say it and go on for ever without a word; notes when the client hangs up."""

    def behaviour(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in pieces:
            exchange.delta(piece)
        while not exchange.server.closing.is_set():
            exchange.raw(b": still here\n\n")
            exchange.rest(0.02)

    return behaviour


def redirecting(exchange: Exchange) -> None:
    """Send on to the same address, for ever."""
    exchange.reply(307, "", Location=exchange.path)


def big_headers(exchange: Exchange) -> None:
    """A megabyte of headers."""
    exchange.send_response(200)
    for number in range(100):
        exchange.send_header(f"X-Junk-{number}", "x" * 10_000)
    exchange.end_headers()


def no_http(exchange: Exchange) -> None:
    """Answer in another protocol."""
    exchange.wfile.write(b"220 mail.example.org ESMTP ready\r\n\r\n")


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
    exchange.connection.shutdown(socket.SHUT_RDWR)


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
    address_family = socket.AF_INET

    def __init__(
        self,
        script: Sequence[Behaviour],
        models: Sequence[str],
        listing: Behaviour | None,
        host: str,
        keep: bool,
    ) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, 0), Exchange)
        self.script = list(script)
        self.models = list(models)
        self.listing = listing
        self.keep = keep
        self.connections: set[Any] = set()
        self.requests: list[dict[str, Any]] = []
        self.visits: list[str] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.hung_up = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error here."""


class FakeOpenAI:
    """``with FakeOpenAI(saying("Hello")) as server``: one behaviour a request, the last for all further ones.

    Attributes:
        requests: path, headers and JSON body of every POST so far.
        visits: paths of every GET so far.
        connections: the addresses that requests came from.
        hung_up: set once a client has hung up in the middle of a behaviour.
    """

    def __init__(
        self,
        *script: Behaviour,
        models: Sequence[str] = ("test-model",),
        listing: Behaviour | None = None,
        host: str = "127.0.0.1",
        tls: bool = False,
        keep: bool = False,
    ) -> None:
        """``listing``: done for every GET instead of listing ``models``; ``keep``: connections stay open."""
        self._server = _Server(script or (saying("Hello."),), models, listing, host, keep)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            # The handshake is made in the thread of the request, not where connections are accepted.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.requests = self._server.requests
        self.visits = self._server.visits
        self.connections = self._server.connections
        self.hung_up = self._server.hung_up
        self.port = int(self._server.server_address[1])
        shown = f"[{host}]" if ":" in host else host
        self.base_url = f"http{'s' if tls else ''}://{shown}:{self.port}/v1"
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

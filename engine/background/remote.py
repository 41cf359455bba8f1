"""Answers from an OpenAI-compatible server, streamed.

The one retry policy: a request that failed before its first word for a reason
that may pass (no connection, too busy, a fault of the server) is sent once
more, when the server says or soon. The client library's own retries are off.
Besides, a part that not every server takes (images, tools, reasoning effort)
is left out once it has been refused.
"""

import contextlib
import ipaddress
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from engine.background import remote_failure as failures
from engine.background.discovery import parse_models
from engine.background.failure import JobError
from engine.background.prompt import Cancelled, Prompt, ToolUse
from engine.background.remote_chat import messages, tool_schemas
from engine.background.remote_stream import Answer, EndlessError, NonsenseError, ServerFaultError
from engine.background.settings import BackgroundSettings

CONNECT_S = 3.0
LIST_S = 3.0  # for the list of models
RETRY_PAUSE_S = 0.3
MAX_TOKENS = 1_000  # room for hidden reasoning and calls; what is said is bounded by sentences
_POLL_S = 0.05
_TAIL_S = 0.1  # for what a server sends after its last word
_DONE = object()


def is_local(host: str) -> bool:
    """Whether ``host`` is this computer."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class _Chat:
    """One request: what is sent, and its parts that not every server takes."""

    body: dict[str, Any]
    parts: frozenset[str]
    calls_before: int


class RemoteModel:
    """A server as a language model. One instance per worker; used by one thread.

    Attributes:
        takes_images: whether its model does; None until a picture was sent.
        takes_tools: whether it takes tools; None until some were offered.

    Raises:
        JobError: the address is no web address, or the key cannot be one.
    """

    max_sentences = 4

    def __init__(self, settings: BackgroundSettings) -> None:
        host = _host(settings.base_url)
        if not host:
            raise JobError(
                "My language server is not set up properly.",
                "MICROTURN_BASE_URL must be a web address such as http://localhost:11434/v1",
            )
        if not (settings.api_key.isascii() and settings.api_key.isprintable()):
            raise JobError(
                "The key of my language server is not set up properly.",
                "the key has characters that no key has: check MICROTURN_API_KEY",
            )
        self._where = host
        self.name = f"{settings.model or 'first model'} at {host}"
        self._settings = settings
        self._model = settings.model
        self._effort = settings.reasoning_effort
        self._limit = "max_completion_tokens" if host.endswith("openai.com") else "max_tokens"
        self._client: Any = None
        self._wires: Any = None
        self.takes_images: bool | None = None
        self.takes_tools: bool | None = None

    def warm_up(self) -> None:
        """Import the client library; nothing is sent before the first request."""
        import httpx2
        import openai

        from engine.background.wire import Wires

        try:
            verify = httpx2.create_ssl_context()
        except OSError as err:
            raise JobError(
                "My language server is not set up properly.",
                f"the certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {err.strerror or err}",
            ) from err
        self._wires = Wires()
        timeout = openai.Timeout(self._settings.remote_timeout_s, connect=CONNECT_S)
        self._client = openai.OpenAI(
            base_url=self._settings.base_url,
            api_key=self._settings.api_key or "none",
            timeout=timeout,
            max_retries=0,
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultHttpxClient(
                timeout=timeout,
                verify=verify,
                # A proxy of the system has no business between two programs of one computer.
                trust_env=not is_local(self._where),
                # What is said goes to the address that was chosen and to no other.
                follow_redirects=False,
                event_hooks=self._wires.hooks,
            ),
        )

    def close(self) -> None:
        """Let go of the connections that are kept for the next request."""
        if self._client is not None:
            self._client.close()

    def stream(self, prompt: Prompt, cancelled: Cancelled) -> Iterator[str | ToolUse]:
        """Pieces of the answer as they arrive, then the calls it asks for. Ends early when ``cancelled``.

        Words that came before a failure stand.

        Raises:
            JobError: the server cannot be reached, refuses, is too slow, breaks off, or talks nonsense.
        """
        deadline = time.monotonic() + self._settings.remote_timeout_s
        retried = False
        left_out: set[str] = set()
        while True:
            chat = self._chat(prompt, left_out)
            try:
                yield from self._once(chat, cancelled, deadline)
            except failures.UnwillingError as fault:
                if fault.part in left_out:
                    raise fault.failure from None
                left_out.add(fault.part)
                self._remember(fault)
            except failures.PassingError as fault:
                wait_s = RETRY_PAUSE_S if fault.wait_s is None else fault.wait_s
                if retried or cancelled() or time.monotonic() + wait_s > deadline:
                    raise fault.failure from None
                retried = True
                if not _wait(wait_s, cancelled):
                    return
            else:
                self._learn(chat, left_out)
                return

    def _chat(self, prompt: Prompt, left_out: set[str]) -> _Chat:
        image = bool(prompt.jpeg) and self.takes_images is not False and "images" not in left_out
        tools = self.takes_tools is not False
        body: dict[str, Any] = {
            "messages": messages(prompt, image=image, tools=tools, instructions=self._settings.instructions),
            "stream": True,
            self._limit: MAX_TOKENS,
        }
        if prompt.tools and tools:
            body["tools"] = tool_schemas(prompt.tools)
        if self._effort:
            body["reasoning_effort"] = self._effort
        has = {
            "images": image,
            "tools": "tools" in body,
            "reasoning": "reasoning_effort" in body,
            "limit": "max_tokens" in body,
        }
        return _Chat(body, frozenset(part for part in has if has[part]), len(prompt.exchanges))

    def _remember(self, fault: failures.UnwillingError) -> None:
        """What the server will not take the next time either."""
        if fault.part == "limit":
            self._limit = "max_completion_tokens"
        elif fault.part == "reasoning":
            self._effort = ""
        elif fault.part == "tools":
            self.takes_tools = False
        elif fault.sure:
            self.takes_images = False

    def _learn(self, chat: _Chat, left_out: set[str]) -> None:
        """After a success: what was left out was the trouble, and what was sent is taken."""
        if "images" in left_out:
            self.takes_images = False
        elif "images" in chat.parts:
            self.takes_images = True
        if "tools" in chat.parts:
            self.takes_tools = True

    def _once(self, chat: _Chat, cancelled: Cancelled, deadline: float) -> Iterator[str | ToolUse]:
        """Read the server in a thread of its own, so that a silent server cannot hold a cancelled job."""
        pieces: queue.Queue[Any] = queue.Queue(maxsize=256)
        given_up = threading.Event()
        reader = threading.Thread(
            target=self._read, args=(chat, pieces, given_up), name="remote", daemon=True
        )
        reader.start()
        begun = False
        try:
            while not cancelled():
                if time.monotonic() > deadline:
                    raise failures.too_slow(self._where, self._settings.remote_timeout_s)
                try:
                    piece = pieces.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if piece is _DONE:
                    # A connection that was read to its end can be used again.
                    reader.join(_TAIL_S)
                    return
                if isinstance(piece, failures.PassingError) and begun:
                    raise piece.failure
                if isinstance(piece, BaseException):
                    raise piece
                begun = True
                yield piece
        finally:
            given_up.set()
            if reader.is_alive():
                self._wires.cut()

    def _read(self, chat: _Chat, pieces: "queue.Queue[Any]", given_up: threading.Event) -> None:
        def put(piece: object) -> None:
            while not given_up.is_set():
                with contextlib.suppress(queue.Full):
                    pieces.put(piece, timeout=_POLL_S)
                    return

        self._wires.begin(given_up)
        try:
            body = {"model": self._model or self._first_model(), **chat.body}
            create = self._client.chat.completions.with_streaming_response.create
            with create(**body) as response:
                answer = Answer(chat.calls_before)
                arriving = response.http_response.iter_raw()
                said = False
                for piece in self._pieces(answer, arriving):
                    if given_up.is_set():
                        return
                    said = True
                    put(piece)
                if answer.finish == "content_filter" or not said:
                    put(failures.nothing(self._where, answer.finish, MAX_TOKENS))
                    return
                put(_DONE)
                if not answer.over:
                    for _ in arriving:
                        if given_up.is_set():
                            return
        except Exception as err:  # noqa: BLE001 - whatever a server makes the library raise becomes a sentence
            if not given_up.is_set():
                put(self._explain(err, chat))

    def _pieces(self, answer: Answer, arriving: Iterator[bytes]) -> Iterator[str | ToolUse]:
        for data in arriving:
            yield from answer.feed(data)
            if answer.over or answer.finish:
                break
        last = answer.end()
        broken = not (answer.over or answer.finish)
        # A call may lack its end; it is not made.
        yield from (piece for piece in last if not (broken and isinstance(piece, ToolUse)))
        if broken:
            raise failures.PassingError(failures.broke_off(self._where))

    def _first_model(self) -> str:
        names = self._models()
        if not names:
            raise JobError(
                "My language server has no model.",
                f"{self._where} lists no model for talking: install one there, or set MICROTURN_MODEL",
            )
        self._model = names[0]
        self.name = f"{self._model} at {self._where}"
        return self._model

    def _models(self) -> tuple[str, ...]:
        """The models for talking that the server lists."""
        listed = self._client.models.with_streaming_response.list
        with listed(timeout=min(LIST_S, self._settings.remote_timeout_s)) as response:
            return parse_models(b"".join(response.http_response.iter_raw()))

    def _explain(self, err: Exception, chat: _Chat) -> Exception:
        """What to raise, or to do, instead of the library's exception; never holds the key."""
        import httpx2
        import openai

        if isinstance(err, (JobError, failures.PassingError)):
            return err
        if isinstance(err, NonsenseError):
            return failures.nonsense(self._where, "what it sends is no answer")
        if isinstance(err, EndlessError):
            return failures.endless(self._where)
        if isinstance(err, ServerFaultError):
            return self._fault(err)
        if isinstance(err, openai.APIStatusError):
            # Without the body when the connection broke in the middle of it.
            text = err.response.text if err.response.is_stream_consumed or err.response.is_closed else ""
            found = failures.refused(
                err.status_code,
                err.response.headers,
                text[:20_000],
                where=self._where,
                key=self._settings.api_key,
                parts=chat.parts,
            )
            return self._no_model() if isinstance(found, failures.NoModelError) else found
        if isinstance(err, openai.APIConnectionError):
            cause = err.__cause__
            if isinstance(cause, httpx2.ProtocolError) and "disconnected" not in str(cause):
                return failures.nonsense(self._where, "no proper HTTP")
            if isinstance(cause, httpx2.TimeoutException) and not isinstance(cause, httpx2.ConnectTimeout):
                return failures.too_slow(self._where, self._settings.remote_timeout_s)
            return failures.unreachable(err, self._where)
        if isinstance(err, httpx2.TimeoutException):
            return failures.too_slow(self._where, self._settings.remote_timeout_s)
        if isinstance(err, httpx2.TransportError):
            return failures.PassingError(failures.broke_off(self._where))
        return failures.nonsense(self._where, type(err).__name__)

    def _fault(self, err: ServerFaultError) -> Exception:
        body = err.body.get("error", err.body) if isinstance(err.body, dict) else err.body
        status = body.get("code") if isinstance(body, dict) else None
        said = f"{self._where} reports an error{failures.note(err.body, self._settings.api_key)}"
        failure = JobError("My language server reports an error.", said)
        passing = type(status) is int and (status in failures.PASSING or status >= 500)
        return failures.PassingError(failure) if passing else failure

    def _no_model(self) -> Exception:
        names: tuple[str, ...] = ()
        with contextlib.suppress(Exception):  # it is about to be told that something is wrong
            names = self._models()
        return failures.no_model(self._where, self._model, names)


def _host(base_url: str) -> str:
    """The host of a web address, empty when it is none."""
    try:
        address = urlsplit(base_url)
        _ = address.port  # raises when it is no number
        return (address.hostname or "") if address.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _wait(seconds: float, cancelled: Cancelled) -> bool:
    """Wait; False as soon as ``cancelled``."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if cancelled():
            return False
        time.sleep(min(left, _POLL_S))
    return not cancelled()

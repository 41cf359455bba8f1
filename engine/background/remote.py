"""Answers from an OpenAI-compatible server, streamed.

The one retry policy: a request that failed before its first word for a reason
that may pass (no connection, too busy, a fault of the server) is sent once
more. The client library's own retries are off.
"""

import base64
import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from engine.background.failure import JobError
from engine.background.prompt import Cancelled, Prompt
from engine.background.settings import BackgroundSettings

SYSTEM = (
    "You are Microturn, a voice assistant on somebody's computer. Your words are spoken aloud. "
    "Answer in one or two short spoken sentences of plain text: no lists, no markdown, no emoji. "
    "The request was recognised from speech and may contain mistakes. You have no clock, no internet "
    "and no memory of earlier days; say so when you would need them, and say so when you do not know."
)
CONNECT_S = 3.0
READ_S = 10.0
RETRY_PAUSE_S = 0.3
MAX_TOKENS = 400  # room for hidden reasoning; what is said is bounded by sentences
LOCAL = ("localhost", "127.0.0.1", "::1")
_POLL_S = 0.05
_DONE = object()


class _PassingError(Exception):
    """The request may succeed if it is sent again."""

    def __init__(self, failure: JobError) -> None:
        super().__init__(str(failure))
        self.failure = failure


class RemoteModel:
    """A server as a language model. One instance per worker; used by one thread.

    Raises:
        JobError: the address is no web address.
    """

    max_sentences = 4

    def __init__(self, settings: BackgroundSettings) -> None:
        address = urlsplit(settings.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise JobError(
                "My language server is not set up properly.",
                "MICROTURN_BASE_URL must be a web address such as http://localhost:11434/v1",
            )
        self._where = address.hostname
        self._settings = settings
        self._model = settings.model
        self.name = f"{settings.model or 'first model'} at {self._where}"
        self._client: Any = None

    def warm_up(self) -> None:
        """Import the client library; nothing is sent before the first request."""
        import openai

        timeout = openai.Timeout(READ_S, connect=CONNECT_S)
        self._client = openai.OpenAI(
            base_url=self._settings.base_url,
            api_key=self._settings.api_key or "none",
            timeout=timeout,
            max_retries=0,
            # A proxy of the system has no business between two programs of one computer.
            http_client=openai.DefaultHttpxClient(timeout=timeout, trust_env=self._where not in LOCAL),
        )

    def stream(self, prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        """Pieces of the answer as they arrive. Ends early when ``cancelled``.

        Raises:
            JobError: the server cannot be reached, refuses, is too slow, or talks nonsense.
        """
        deadline = time.monotonic() + self._settings.remote_timeout_s
        messages = _messages(prompt)
        for attempt in (1, 2):
            try:
                yield from self._once(messages, cancelled, deadline)
            except _PassingError as fault:
                if attempt == 2 or cancelled() or time.monotonic() + RETRY_PAUSE_S > deadline:
                    raise fault.failure from fault
                time.sleep(RETRY_PAUSE_S)
            else:
                return

    def _once(self, messages: list[dict[str, Any]], cancelled: Cancelled, deadline: float) -> Iterator[str]:
        """Read the server in a thread of its own, so that a silent server cannot hold a cancelled job."""
        pieces: queue.Queue[Any] = queue.Queue(maxsize=256)
        given_up = threading.Event()
        reader = threading.Thread(
            target=self._read, args=(messages, pieces, given_up), name="remote", daemon=True
        )
        reader.start()
        begun = False
        try:
            while not cancelled():
                if time.monotonic() > deadline:
                    raise self._too_slow()
                try:
                    piece = pieces.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if piece is _DONE:
                    return
                if isinstance(piece, _PassingError) and begun:
                    raise piece.failure
                if isinstance(piece, BaseException):
                    raise piece
                begun = True
                yield piece
        finally:
            given_up.set()

    def _read(
        self, messages: list[dict[str, Any]], pieces: "queue.Queue[Any]", given_up: threading.Event
    ) -> None:
        def put(piece: object) -> None:
            while not given_up.is_set():
                with contextlib.suppress(queue.Full):
                    pieces.put(piece, timeout=_POLL_S)
                    return

        try:
            with self._open(messages) as answer:
                for chunk in answer:
                    if given_up.is_set():
                        return
                    text = _delta(chunk)
                    if text:
                        put(text)
            put(_DONE)
        except Exception as err:  # noqa: BLE001 - whatever a server makes the library raise becomes a sentence
            put(self._explain(err))

    def _open(self, messages: list[dict[str, Any]]) -> Any:
        if not self._model:
            models = self._client.models.list().data
            if not models:
                raise JobError(
                    "My language server has no model.", f"{self._where} lists no model; install one there"
                )
            self._model = models[0].id
        limit = "max_completion_tokens" if self._where.endswith("openai.com") else "max_tokens"
        return self._client.chat.completions.create(
            model=self._model, messages=messages, stream=True, **{limit: MAX_TOKENS}
        )

    def _too_slow(self) -> JobError:
        return JobError(
            "My language server takes too long.",
            f"{self._where} did not answer within {self._settings.remote_timeout_s:g} s",
        )

    def _explain(self, err: Exception) -> Exception:
        """A sentence for the user instead of the library's exception; never holds the key."""
        import openai

        if isinstance(err, (JobError, _PassingError)):
            return err
        if isinstance(err, openai.APITimeoutError):
            return self._too_slow()
        if isinstance(err, openai.APIConnectionError):
            return _PassingError(
                JobError(
                    "I cannot reach my language server.",
                    f"no connection to {self._where}: is it running, and is MICROTURN_BASE_URL right?",
                )
            )
        if isinstance(err, (openai.AuthenticationError, openai.PermissionDeniedError)):
            return JobError(
                "My language server refused the key.",
                f"{self._where} refused the key: check MICROTURN_API_KEY",
            )
        if isinstance(err, openai.NotFoundError):
            return JobError(
                "My language server does not know this model.",
                f"{self._where} has no model {self._model!r} or no chat at this address: "
                "check MICROTURN_MODEL and MICROTURN_BASE_URL",
            )
        if isinstance(err, openai.APIStatusError):
            failure = JobError(
                "My language server reports an error.", f"{self._where}: HTTP {err.status_code}"
            )
            passing = err.status_code in (408, 409, 429) or err.status_code >= 500
            return _PassingError(failure) if passing else failure
        if type(err).__module__.split(".")[0] in ("httpx", "httpcore", "httpx2", "httpcore2"):
            return JobError("My language server broke off.", f"the connection to {self._where} broke off")
        return JobError(
            "I do not understand my language server.",
            f"{self._where} does not speak the OpenAI protocol ({type(err).__name__})",
        )


def _delta(chunk: Any) -> str:
    choices = chunk.choices
    text = choices[0].delta.content if choices else ""
    return text if isinstance(text, str) else ""


def _messages(prompt: Prompt) -> list[dict[str, Any]]:
    turns = [
        {"role": "user" if who == "user" else "assistant", "content": text} for who, text in prompt.context
    ]
    content: Any = prompt.text
    if prompt.jpeg:
        picture = "data:image/jpeg;base64," + base64.b64encode(prompt.jpeg).decode()
        content = [
            {"type": "text", "text": prompt.text},
            {"type": "image_url", "image_url": {"url": picture}},
        ]
    return [{"role": "system", "content": SYSTEM}, *turns, {"role": "user", "content": content}]

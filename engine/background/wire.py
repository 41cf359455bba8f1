"""The connections of one HTTP client: how much they may bring, and how another thread ends them.

A thread that waits for a silent server can be woken only by shutting its
socket down; closing the response or the client from outside does not do it.
"""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import httpx2

MAX_BYTES = 5 * 1024 * 1024  # of one response; more than is read of an answer


class Wires:
    """Give ``hooks`` to the client. One request at a time, each in a thread that calls ``begin`` first."""

    def __init__(self) -> None:
        self._sockets: deque[socket.socket] = deque(maxlen=8)
        self._mine = threading.local()
        self.hooks: dict[str, list[Any]] = {"request": [self._asked], "response": [self._answered]}

    def begin(self, given_up: threading.Event) -> None:
        """The calling thread's requests end soon once ``given_up`` is set and ``cut`` is called."""
        self._mine.given_up = given_up

    def cut(self) -> None:
        """Shut all connections down; whoever reads from one of them gets an error at once."""
        while self._sockets:
            _shut(self._sockets.popleft())

    def _asked(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._traced

    def _traced(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            opened = info["return_value"].get_extra_info("socket")
            if isinstance(opened, socket.socket):
                self._sockets.append(opened)
                given_up = getattr(self._mine, "given_up", None)
                if given_up is not None and given_up.is_set():
                    _shut(opened)

    @staticmethod
    def _answered(response: httpx2.Response) -> None:
        # We ask for plain bytes; what comes packed all the same could be any size unpacked.
        if "content-encoding" in response.headers:
            del response.headers["content-encoding"]
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Capped(response.stream)


class _Capped(httpx2.SyncByteStream):
    """Ends after ``MAX_BYTES``, whatever is still to come."""

    def __init__(self, inner: httpx2.SyncByteStream) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_BYTES
        for data in self._inner:
            yield data[:left]
            left -= len(data)
            if left <= 0:
                return

    def close(self) -> None:
        self._inner.close()


def _shut(wire: socket.socket) -> None:
    # Not the method of an SSL socket, which would take its state from under the reading thread.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(wire, socket.SHUT_RDWR)

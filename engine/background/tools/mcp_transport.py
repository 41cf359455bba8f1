"""The two ways to a tool server, each with a bound on what the server may send.

The SDK's own way to a program keeps a line of any length, so programs are run
here; addresses use the SDK with a bounded HTTP client.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from engine.background.tools.mcp_config import KEPT_BACK, ServerConfig
from engine.background.tools.mcp_schema import clean_text

MAX_MESSAGE_BYTES = 8 * 2**20  # one message, a picture included
MAX_WINDOW_BYTES = 24 * 2**20
WINDOW_S = 10.0
MAX_LOG_LINE = 500
MAX_LOG_LINES = 50  # of a server in WINDOW_S
CHUNK = 65_536
CONNECT_S = 5.0
IDLE_S = 300.0  # a stream of events may be silent for so long
_LEAVE_S = 0.5
_CLOSED = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)
_GROUP_KILLER = 'read -r _; kill -s KILL -- "-$1"'

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
Say = Callable[[str], None]


class TooMuchError(httpx2.StreamError):
    """A server sent more than it may. The SDK answers the open request with an error for this class."""


class Meter:
    """Bytes that came within a window of time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since = time.monotonic()
        self._count = 0

    def add(self, count: int) -> None:
        """Raises TooMuchError."""
        if not self.fits(count):
            raise TooMuchError("it sent too much at once")

    def fits(self, count: int) -> bool:
        now = time.monotonic()
        if now - self._since > WINDOW_S:
            self._since, self._count = now, 0
        self._count += count
        return self._count <= self._limit


@asynccontextmanager
async def program(config: ServerConfig, ended: Say, log: Say) -> AsyncGenerator[Streams]:
    """Start a server as a program and talk to it by lines on its pipes; it ends with the context.

    ``ended`` is called with the reason when it stops talking, ``log`` with each line of its errors.

    Raises:
        OSError: it cannot be started.
    """
    process = await _start(config)
    killer = _group_killer(process.pid)
    incoming_in, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, outgoing_out = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process, incoming_in, ended)
            tasks.start_soon(_write, process, outgoing_out, incoming_in)
            if process.stderr is not None:
                tasks.start_soon(_follow, process.stderr, log)
            try:
                yield incoming, outgoing
            finally:
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            for stream in (incoming, incoming_in, outgoing, outgoing_out):
                stream.close()
            await _stop(process)
        if killer is not None:
            killer.kill()
            killer.communicate()


@asynccontextmanager
async def address(config: ServerConfig) -> AsyncGenerator[Any]:
    """Talk to a server by streamable HTTP. Redirects to other hosts are not followed."""
    client = httpx2.AsyncClient(
        headers={**config.headers, "Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(CONNECT_S, read=IDLE_S),
        trust_env=config.online,  # system proxies are not for servers on this computer
        event_hooks={"response": [_bound]},
    )
    async with (
        client,
        streamable_http_client(
            config.url, http_client=client, max_sse_event_size=MAX_MESSAGE_BYTES
        ) as streams,
    ):
        yield streams


class _BoundedStream(httpx2.AsyncByteStream):
    """A response's body that breaks off when it is too long; a stream of events may go on, but not flood."""

    def __init__(self, stream: httpx2.AsyncByteStream, events: bool) -> None:
        self._stream = stream
        self._meter = Meter(MAX_WINDOW_BYTES)
        self._left = sys.maxsize if events else MAX_MESSAGE_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._meter.add(len(chunk))
            self._left -= len(chunk)
            if self._left < 0:
                raise TooMuchError("it sent too much at once")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    # A packed body could be small here and huge when unpacked.
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise TooMuchError("it sent a packed answer, which was not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    events = response.headers.get("content-type", "").lower().startswith("text/event-stream")
    response.stream = _BoundedStream(response.stream, events)


async def _start(config: ServerConfig) -> Process:
    env = {**get_default_environment(), **config.env}
    for name in KEPT_BACK:
        env.pop(name, None)
    if sys.platform == "win32":
        from mcp.os.win32.utilities import create_windows_process, get_windows_executable_command

        # The SDK puts it into a job object, which ends with this process.
        command = get_windows_executable_command(config.command)
        return await create_windows_process(command, list(config.args), env, sys.stderr)
    return await anyio.open_process(
        [config.command, *config.args], env=env, stderr=subprocess.PIPE, start_new_session=True
    )


def _group_killer(group: int) -> subprocess.Popen[bytes] | None:
    """A shell that kills a server with all its children when this process ends, however it ends."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            ["/bin/sh", "-c", _GROUP_KILLER, "sh", str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
    return None


async def _read(
    process: Process, target: MemoryObjectSendStream[SessionMessage | Exception], ended: Say
) -> None:
    """Pass on whole lines until the server ends or sends too much; what is no message is passed over."""
    assert process.stdout is not None
    why = "it ended"
    try:
        async for line in _lines(process.stdout):
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                continue
            await target.send(SessionMessage(message))
    except TooMuchError as err:
        why = str(err)
    except _CLOSED:
        pass
    ended(why)
    target.close()


async def _lines(source: ByteReceiveStream) -> AsyncIterator[bytes]:
    meter = Meter(MAX_WINDOW_BYTES)
    rest = bytearray()
    with contextlib.suppress(anyio.EndOfStream):
        while True:
            chunk = await source.receive(CHUNK)
            meter.add(len(chunk))
            *whole, last = chunk.split(b"\n")
            for piece in whole:
                rest += piece
                line = bytes(rest)
                rest.clear()
                yield line
            rest += last
            if len(rest) > MAX_MESSAGE_BYTES:
                raise TooMuchError("it sent too much at once")


async def _write(
    process: Process,
    source: MemoryObjectReceiveStream[SessionMessage],
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    assert process.stdin is not None
    try:
        async for message in source:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            await process.stdin.send(f"{text}\n".encode())
    except _CLOSED:
        # Else a request to a server that no longer listens would wait for its time limit.
        incoming.close()


async def _follow(source: ByteReceiveStream, log: Say) -> None:
    """Its error output, line by line: long lines are cut, and of a flood only the beginning is told."""
    lines = Meter(MAX_LOG_LINES)
    rest = b""
    with contextlib.suppress(anyio.EndOfStream, *_CLOSED):
        while True:
            *whole, last = (rest + await source.receive(CHUNK)).split(b"\n")
            rest = last[: 2 * MAX_LOG_LINE]
            for line in whole:
                if lines.fits(1):
                    log(clean_text(line[: 2 * MAX_LOG_LINE].decode(errors="replace"), MAX_LOG_LINE))


async def _stop(process: Process) -> None:
    """Ask by closing its input, then by a signal, then kill it with its children; 1.5 s at most."""
    with contextlib.suppress(*_CLOSED):
        if process.stdin is not None:
            await process.stdin.aclose()
    if sys.platform == "win32":
        from mcp.os.win32.utilities import close_process_job, terminate_windows_process_tree

        if not await _gone(process):
            await terminate_windows_process_tree(process)
        close_process_job(process)
    else:
        import signal

        for sign in (signal.SIGTERM, signal.SIGKILL):
            if await _gone(process):
                break
            _signal(process.pid, sign)
        # Children that outlived it.
        _signal(process.pid, signal.SIGKILL)
        await _gone(process)
    for stream in (process.stdout, process.stderr):
        with contextlib.suppress(*_CLOSED):
            if stream is not None:
                await stream.aclose()
    # Else it warns when it is collected while a child still holds a pipe; nothing public closes it.
    transport = getattr(getattr(process, "_process", None), "_transport", None)
    if transport is not None:
        with contextlib.suppress(OSError):
            transport.close()


def _signal(group: int, sign: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, sign)


async def _gone(process: Process) -> bool:
    """Whether it has ended, after waiting a moment; its pipes may still be held by its children."""
    with anyio.move_on_after(_LEAVE_S):
        while process.returncode is None:
            await anyio.sleep(0.01)
    return process.returncode is not None

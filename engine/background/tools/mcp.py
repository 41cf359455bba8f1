"""Tools of Model Context Protocol servers, as the user's config_dir()/mcp.json lists them.

Everything that a server sends is data of a stranger: its tools' names, words and
schemas are rebuilt, its results are cut, and it can ask for nothing itself
(no sampling, no questions to the user, no folders).
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.background.tools.mcp_config import NAME, ServerConfig, read_config
from engine.background.tools.mcp_result import tool_result
from engine.background.tools.mcp_schema import check_arguments, clean_text, safe_schema
from engine.background.tools.tool import Arguments, Permission, Tool, ToolContext, ToolError, ToolResult

if TYPE_CHECKING:
    import mcp_types
    from mcp import Client

CALL_S = 30.0
CONNECT_S = 10.0
STOP_S = 5.0
MAX_TOOLS = 64  # of one server
MAX_PAGES = 20
TRIES = 3
TRIES_S = 60.0  # no more than TRIES starts of a server in this time
BACKOFF_S = 0.5
MAX_BACKOFF_S = 300.0
_POLL_S = 0.05
_FORGOTTEN = "Session terminated"


class McpServers:
    """All servers of one configuration file. One instance per worker, callable from any thread.

    Connecting happens in a thread of its own; a server's tools appear when it has
    answered and vanish while it is away. Without a server the SDK is not even loaded.
    """

    def __init__(self, config: Path) -> None:
        self._config = config
        self._servers: tuple[_Server, ...] = ()
        self._config_troubles: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Read the file and begin to connect; returns at once. To be called once."""
        configs, self._config_troubles = read_config(self._config)
        self._servers = tuple(_Server(config, self._config) for config in configs)
        if self._servers:
            self._thread = threading.Thread(target=self._work, name="mcp", daemon=True)
            self._thread.start()

    def tools(self) -> tuple[Tool, ...]:
        """What can be called now."""
        return tuple(tool for server in self._servers for tool in server.tools)

    def troubles(self) -> tuple[str, ...]:
        """What is wrong now, each with the server, the file and what to do."""
        return (*self._config_troubles, *(server.trouble for server in self._servers if server.trouble))

    def wait(self, timeout_s: float) -> bool:
        """Until every server has answered or failed once; whether they have."""
        until = time.monotonic() + timeout_s
        return all(server.tried.wait(max(0.0, until - time.monotonic())) for server in self._servers)

    def stop(self) -> None:
        """End all servers and the thread; at most 5 s, usually some milliseconds."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _work(self) -> None:
        # Its complaints quote what servers send; ours are told by troubles().
        logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)
        try:
            asyncio.run(self._main())
        except Exception as err:  # noqa: BLE001 - tools of others must not take the worker down
            for server in self._servers:
                server.gone(f"the connection thread broke: {type(err).__name__}; restart the program")

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(server.keep()) for server in self._servers]
        while not self._stopping.is_set():
            await asyncio.sleep(_POLL_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Server:
    """One server: kept connected by a task of the thread, called from any thread."""

    def __init__(self, config: ServerConfig, file: Path) -> None:
        self.tools: tuple[Tool, ...] = ()
        self.trouble = ""
        self.tried = threading.Event()
        self._config = config
        self._file = file
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._why = ""

    def gone(self, why: str) -> None:
        """No longer there. ``why``: what happened and what to do."""
        self.tools, self._client = (), None
        self.trouble = f'server "{self._config.name}" in {self._file}: {why}'
        self.tried.set()

    async def keep(self) -> None:
        """Connect, and connect again when it ends, ever more seldom while that does not help."""
        self._loop = asyncio.get_running_loop()
        tries: deque[float] = deque(maxlen=TRIES)
        pause = BACKOFF_S
        older = False
        while True:
            if len(tries) == TRIES:
                await asyncio.sleep(max(0.0, tries[0] + TRIES_S - time.monotonic()))
            tries.append(began := time.monotonic())
            connected = False
            try:
                connected = await self._live("legacy" if older else "auto")
            except Exception as err:  # noqa: BLE001 - whatever a server does ends here
                connected = self._client is not None
                self._why = self._why or _reason(err, self._config)
            self.gone(f"{self._why or 'it ended'}; the program tries again by itself")
            # Some servers end themselves at a question that is newer than they are.
            older = older if connected else not older
            pause = BACKOFF_S if time.monotonic() - began > TRIES_S else min(2 * pause, MAX_BACKOFF_S)
            await asyncio.sleep(pause)

    async def _live(self, mode: str) -> bool:
        """One connection from beginning to end; whether there was one."""
        import anyio
        from mcp import Client
        from mcp_types import Implementation

        from engine.background.tools.mcp_transport import address, program

        self._ended.clear()
        self._why = ""
        transport: Any = (
            address(self._config) if self._config.url else program(self._config, self._end, self._log)
        )
        client = Client(
            transport,
            mode=mode,
            cache=None,
            client_info=Implementation(name="microturn", version=__version__),
        )
        with anyio.CancelScope(deadline=anyio.current_time() + CONNECT_S) as limit:
            async with client:
                tools = await self._list(client)
                limit.deadline = float("inf")
                self._client, self.tools, self.trouble = client, tools, ""
                self.tried.set()
                await self._ended.wait()
                return True
        self._why = f"it did not answer within {CONNECT_S:.0f} s of its start; check that it runs by itself"
        return False

    async def _list(self, client: "Client") -> tuple[Tool, ...]:
        """Its tools as far as they are usable; later changes to the list count from the next connection."""
        found: dict[str, Tool] = {}
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            for raw in page.tools:
                tool = self._tool(raw)
                if tool is not None and tool.name not in found:
                    found[tool.name] = tool
            cursor = page.next_cursor
            if not cursor or len(found) >= MAX_TOOLS:
                break
        return tuple(found.values())[:MAX_TOOLS]

    def _tool(self, raw: "mcp_types.Tool") -> Tool | None:
        config = self._config
        name = f"{config.name}__{raw.name}"
        if not NAME.fullmatch(name):
            return None
        reads = bool(config.trust_read_only and raw.annotations and raw.annotations.read_only_hint)
        schema = safe_schema(raw.input_schema)

        def run(arguments: Arguments, context: ToolContext) -> ToolResult:
            check_arguments(arguments, schema)
            return self._call(raw.name, arguments, context)

        return Tool(
            name=name,
            description=clean_text(raw.description),
            parameters=schema,
            run=run,
            permission=Permission.FREE if reads else config.permission,
            changes=not reads,
            online=config.online,
            timeout_s=CALL_S,
        )

    def _call(self, tool: str, arguments: Arguments, context: ToolContext) -> ToolResult:
        """Block the calling thread until the server has answered, up to ``CALL_S``."""
        client, loop, name = self._client, self._loop, self._config.name
        if client is None or loop is None:
            raise ToolError(f"The server {name} is not there right now.")
        try:
            future = asyncio.run_coroutine_threadsafe(_ask(client, tool, dict(arguments)), loop)
        except RuntimeError as err:
            raise ToolError(f"The server {name} is not there right now.") from err
        until = time.monotonic() + CALL_S
        try:
            while not _settled(future):
                if context.cancelled():
                    raise ToolError("I stopped that.")
                if time.monotonic() > until:
                    raise ToolError(f"The server {name} did not answer in {CALL_S:.0f} seconds.")
            return tool_result(future.result(), name, tool)
        except ToolError:
            raise
        except (Exception, concurrent.futures.CancelledError) as err:
            raise ToolError(self._said(err)) from err
        finally:
            future.cancel()

    def _said(self, err: BaseException) -> str:
        """Why a call failed, as it may be said."""
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED

        name = self._config.name
        if self._why or (isinstance(err, MCPError) and err.code == CONNECTION_CLOSED):
            too_much = "too much" in self._why
            return f"The server {name} {'sent too much at once' if too_much else 'stopped working'}."
        if isinstance(err, MCPError) and err.message == _FORGOTTEN and self._loop is not None:
            # The SDK's word for an address that no longer knows this session.
            self._loop.call_soon_threadsafe(self._end, "it was started anew")
            return f"The server {name} was started anew; please ask again."
        if isinstance(err, MCPError):
            return f"The server {name} refused: {clean_text(err.message, 100)}"
        return f"The server {name} gave an answer that makes no sense."

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self.gone(f"{self._why}; the program tries again by itself")
        self._ended.set()

    def _log(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"mcp {self._config.name}: {line}\n")
            sys.stderr.flush()


async def _ask(client: "Client", tool: str, arguments: dict[str, Any]) -> "mcp_types.CallToolResult":
    # Not client.call_tool: it checks results against a schema of the server's choice, patterns included.
    from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult

    request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
    return await client.session.send_request(request, CallToolResult)


def _settled(future: "concurrent.futures.Future[Any]") -> bool:
    return bool(concurrent.futures.wait((future,), _POLL_S).done)


def _leaves(err: BaseException) -> Iterable[BaseException]:
    if isinstance(err, BaseExceptionGroup):
        for part in err.exceptions:
            yield from _leaves(part)
    else:
        yield err


def _reason(err: Exception, config: ServerConfig) -> str:
    """Why it could not be connected, and what to do; never with headers or the address as a whole."""
    from mcp import MCPError

    first = next(iter(_leaves(err)), err)
    command = clean_text(config.command, 80)
    if isinstance(first, FileNotFoundError):
        return f"the command {command} was not found; install it or write its full path"
    if isinstance(first, PermissionError):
        return f"the command {command} may not be run; check its permissions"
    if isinstance(first, MCPError):
        return f"it refused: {clean_text(first.message, 150)}; check its settings"
    if config.url:
        return f"it cannot be reached ({type(first).__name__}); check that the address is right and it runs"
    return f"it cannot be used ({type(first).__name__}); check that it runs by itself"

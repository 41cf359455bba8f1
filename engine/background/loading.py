"""Everything that the worker's mind is made of, loaded and warmed up."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from engine.background.answer import Mind, Models
from engine.background.convert import Progress
from engine.background.discovery import with_discovered
from engine.background.embedded import EmbeddedModel
from engine.background.failure import JobError
from engine.background.permission import SETTINGS_NAME, Permissions, read_rules
from engine.background.prompt import LanguageModel
from engine.background.recognise import bundled_model
from engine.background.remote import RemoteModel, is_local
from engine.background.settings import BackgroundSettings
from engine.background.store import Store, StoreError
from engine.background.tools.mcp import McpServers
from engine.background.tools.tool import Tool, ToolContext, ToolError
from engine.background.transcribe import Transcriber
from engine.background.understanding.understand import all_tools, understand
from engine.paths import config_dir, data_dir

STORE_NAME = "mind.sqlite"
MCP_NAME = "mcp.json"


@dataclass(frozen=True)
class Loaded:
    """``recogniser``: or why there is none. ``troubles``: what is missing, in plain words."""

    mind: Mind
    store: Store
    recogniser: Transcriber | JobError
    servers: McpServers
    troubles: tuple[str, ...]
    changes: Callable[[str], bool]


def load(
    settings: BackgroundSettings,
    progress: Progress,
    look: Callable[[], tuple[datetime, tuple[Path, ...]]],
) -> Loaded:
    """Load everything, so that the first request is as quick as the others; about 1 s."""
    settings = with_discovered(settings)
    troubles: list[str] = []
    store = _store(settings, troubles)
    config = Path(settings.config_dir) if settings.config_dir else config_dir()
    permissions = Permissions(read_rules(config / SETTINGS_NAME))
    troubles += permissions.troubles
    servers = McpServers(config / MCP_NAME)
    servers.start()
    progress("loading the speech recogniser and the language model", -1.0)
    with ThreadPoolExecutor(1, thread_name_prefix="load") as pool:
        hearing = pool.submit(_recogniser, settings)
        models = _models(settings, progress)
        recogniser = hearing.result()
    troubles += [part.advice for part in (recogniser, models) if isinstance(part, JobError)]
    own = all_tools()

    def tools() -> dict[str, Tool]:
        every = {**{tool.name: tool for tool in servers.tools()}, **own}
        return {tool.name: tool for tool in permissions.usable(every.values())}

    host = urlsplit(settings.base_url).hostname or ""
    show = bool(host) and (settings.send_frames or is_local(host))
    mind = Mind(models, tools, permissions, store, look, show)
    return Loaded(
        mind,
        store,
        recogniser,
        servers,
        tuple(troubles),
        lambda name: name in own and own[name].changes,
    )


_FIRST = (
    "What is 2 plus 2?",
    "How many feet are in a mile?",
    "What is the capital of Peru?",
    "What time is it in Tokyo?",
    "What does serene mean?",
    "What day is tomorrow?",
)


def warm_up_tools(now: datetime) -> None:
    """First use of what the tools load, in a store of its own; about 1 s. For a thread of its own."""
    tools, context = all_tools(), ToolContext(now, Store(None))
    for text in _FIRST:
        call = understand(text, (), now)
        if call is not None:
            with contextlib.suppress(ToolError):
                tools[call.tool].run(call.arguments, context)


def _store(settings: BackgroundSettings, troubles: list[str]) -> Store:
    """The user's file; in memory only when it cannot be used, which is said."""
    if settings.store == ":memory:":
        return Store(None)
    path = Path(settings.store) if settings.store else data_dir() / STORE_NAME
    try:
        store = Store(path)
    except StoreError as err:
        troubles.append(f"{err} ({path}) Notes and alarms of this session will be lost at its end.")
        return Store(None)
    if store.trouble:
        troubles.append(store.trouble)
    return store


def _recogniser(settings: BackgroundSettings) -> Transcriber | JobError:
    try:
        folder = Path(settings.asr_dir) if settings.asr_dir else bundled_model()
        recogniser = Transcriber(folder, settings.threads, settings.language)
        recogniser.warm_up()
    except JobError as failure:
        return failure
    return recogniser


def _models(settings: BackgroundSettings, progress: Progress) -> Models | JobError:
    try:
        if settings.base_url:
            first: LanguageModel = RemoteModel(settings)
            first.warm_up()
            return Models(first, lambda: _another(settings))
        first = EmbeddedModel(
            Path(settings.cache_dir), settings.threads, settings.max_tokens, progress, settings.instructions
        )
        first.warm_up()
    except JobError as failure:
        return failure
    return Models(first, lambda: None)


def _another(settings: BackgroundSettings) -> LanguageModel:
    model = RemoteModel(settings)
    model.warm_up()
    return model

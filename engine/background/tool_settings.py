"""What the user allows tools, as a list to look at and to change: tools.json in the settings folder.

The background process reads that file at its start (``permission.read_rules``);
here is the other side, for the window. Not for its thread.
"""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.background.loading import MCP_NAME
from engine.background.permission import SETTINGS_NAME, Rules, read_rules
from engine.background.tools.mcp_config import read_config
from engine.background.tools.tool import Permission
from engine.background.understanding.understand import all_tools
from engine.errors import InputError, MicroturnError
from engine.paths import config_dir

OFF = "off"
LEVELS = ("", *Permission, OFF)
"""What may be chosen for a tool; empty is the level it comes with."""


@dataclass(frozen=True)
class ToolSetting:
    """``own``: the level the tool comes with; ``chosen``: one of ``LEVELS``."""

    name: str
    description: str
    own: str
    chosen: str = ""


@dataclass(frozen=True)
class ToolList:
    """``servers``: those that are switched on, by name; ``troubles``: of both files, in plain words."""

    tools: tuple[ToolSetting, ...]
    servers: tuple[str, ...]
    troubles: tuple[str, ...]
    folder: Path


def list_tools(folder: Path | None = None) -> ToolList:
    """The tools of the program, then those of servers that the file names. Starts nothing."""
    folder = folder or config_dir()
    rules = read_rules(folder / SETTINGS_NAME)
    servers, troubles = read_config(folder / MCP_NAME)
    own = [
        ToolSetting(
            tool.name, tool.description, OFF if tool.online else tool.permission, _chosen(rules, name)
        )
        for name, tool in sorted(all_tools().items())
    ]
    known = {tool.name for tool in own}
    named = sorted({*rules.levels, *rules.off} - known)
    others = [ToolSetting(name, "", Permission.ASK_ALWAYS, _chosen(rules, name)) for name in named]
    return ToolList(
        (*own, *others), tuple(server.name for server in servers), (*rules.troubles, *troubles), folder
    )


def _chosen(rules: Rules, name: str) -> str:
    if name in rules.off:
        return OFF
    return rules.levels.get(name, Permission.FREE if name in rules.on else "")


def change_level(name: str, level: str, folder: Path | None = None) -> None:
    """Write one tool's level into the file; everything else in it stays as it is.

    Raises:
        InputError: there is no such level, or the file there is damaged: it is not overwritten.
        MicroturnError: the disk refuses.
    """
    if level not in LEVELS:
        raise InputError(f"{level!r} is no level: choose one of {', '.join(filter(None, LEVELS))}")
    path = (folder or config_dir()) / SETTINGS_NAME
    rules = read_rules(path)
    if rules.broken:
        raise InputError(rules.troubles[0])
    try:
        entries = _entries(path)
        for word in ("off", "on"):
            entries[word] = sorted({*entries.get(word, [])} - {name})
        entries.pop(name, None)
        if level == OFF:
            entries["off"] = sorted([*entries["off"], name])
        elif level:
            entries[name] = level
            tool = all_tools().get(name)
            if tool is not None and tool.online:
                entries["on"] = sorted([*entries["on"], name])
        _write(path, {key: value for key, value in entries.items() if value or key not in ("off", "on")})
    except OSError as err:
        raise MicroturnError(f"{path} cannot be changed ({err.strerror or err})") from err


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    return entries


def _write(path: Path, entries: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            json.dump(entries, file, indent=1)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)

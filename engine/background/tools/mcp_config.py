"""The user's list of tool servers: config_dir()/mcp.json in the widely used form, checked by hand."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.background.tools.tool import Permission

MAX_CONFIG_BYTES = 256 * 1024
MAX_SERVERS = 16
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEPT_BACK = ("MICROTURN_API_KEY",)  # never given to a server, not even by the file


@dataclass(frozen=True)
class ServerConfig:
    """One server: a program on this computer (``command``) or an address (``url``).

    ``env`` and ``headers`` may hold keys, so they are never shown. ``trust_read_only``:
    believe the server when it says that a tool only reads.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    permission: Permission = Permission.ASK_ALWAYS
    trust_read_only: bool = False

    @property
    def online(self) -> bool:
        """It leaves this computer, as far as can be told: what a program does is its own affair."""
        return bool(self.url) and not is_local(urlsplit(self.url).hostname or "")


class _BadEntryError(Exception):
    """What is wrong with one server's entry and what to write instead."""


def is_local(host: str) -> bool:
    """Whether an address names this computer, without asking the network."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_config(path: Path) -> tuple[tuple[ServerConfig, ...], tuple[str, ...]]:
    """The servers that are switched on, and what is wrong, each with the file and what to do.

    No file means no servers. A bad entry costs only its own server.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        return (), ()
    except OSError as err:
        return (), (f"{path} cannot be read ({err.strerror}); check its permissions",)
    if len(raw) > MAX_CONFIG_BYTES:
        return (), (f"{path} is larger than {MAX_CONFIG_BYTES // 1024} KB; make it shorter",)
    try:
        entries = json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as err:
        return (), (f"{path} is not valid JSON (line {err.lineno}: {err.msg}); mend that line",)
    except (UnicodeDecodeError, RecursionError):
        return (), (f"{path} is not valid JSON; write it anew as docs/tools.md shows",)
    servers = entries.get("mcpServers") if isinstance(entries, dict) else None
    if not isinstance(servers, dict):
        return (), (f'{path} has no "mcpServers" with a server in it; docs/tools.md has an example',)
    good: list[ServerConfig] = []
    troubles: list[str] = []
    for name, entry in servers.items():
        if len(good) == MAX_SERVERS:
            troubles.append(f"{path} lists more than {MAX_SERVERS} servers; the rest is left out")
            break
        try:
            config = _server(name, entry)
        except _BadEntryError as err:
            troubles.append(f'server "{name[:64]}" in {path}: {err}')
        else:
            good.extend([config] if config else [])
    return tuple(good), tuple(troubles)


def _server(name: str, entry: object) -> ServerConfig | None:
    """None when the user has switched it off."""
    if not NAME.fullmatch(name) or "__" in name or len(name) > 32:
        raise _BadEntryError("its name must be 1 to 32 letters, digits, - or single _; rename it")
    if not isinstance(entry, dict):
        raise _BadEntryError('write it as {"command": ...} or {"url": ...}')
    if entry.get("enabled") is False or entry.get("disabled") is True:
        return None
    url, command = entry.get("url", ""), entry.get("command", "")
    if bool(url) == bool(command) or not isinstance(url, str) or not isinstance(command, str):
        raise _BadEntryError('it needs either "command" or "url", as text')
    if url and entry.get("enabled") is not True:
        raise _BadEntryError('it is off, as every address is at first; add "enabled": true to use it')
    if url:
        _check_url(url, entry.get("type"))
    return ServerConfig(
        name=name,
        command=command,
        args=_texts(entry, "args"),
        env={key: value for key, value in _table(entry, "env").items() if key.upper() not in KEPT_BACK},
        url=url,
        headers=_table(entry, "headers"),
        permission=_permission(entry.get("permission", Permission.ASK_ALWAYS.value)),
        trust_read_only=entry.get("trust_read_only") is True,
    )


def _check_url(url: str, kind: object) -> None:
    if kind == "sse":
        raise _BadEntryError('"type": "sse" is not supported; use the server\'s streamable HTTP address')
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise _BadEntryError('"url" must be a web address such as https://example.com/mcp')


def _permission(value: object) -> Permission:
    if not isinstance(value, str) or value not in tuple(Permission):
        raise _BadEntryError('"permission" must be "free", "ask once" or "ask always"')
    return Permission(value)


def _texts(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and "\0" not in item for item in value):
        raise _BadEntryError(f'"{key}" must be a list of texts')
    return tuple(value)


def _table(entry: Mapping[str, Any], key: str) -> dict[str, str]:
    value = entry.get(key) or {}
    good = isinstance(value, dict) and all(
        isinstance(item, str) and "\0" not in f"{name}{item}" and "\n" not in f"{name}{item}"
        for name, item in value.items()
    )
    if not good:
        raise _BadEntryError(f'"{key}" must be an object of texts')
    return dict(value)

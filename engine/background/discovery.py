"""Language model servers on this computer, found where they usually listen.

Asks 127.0.0.1 and ::1 only, all places at once, and believes only a list of
models in the form of the OpenAI protocol.
"""

import asyncio
import contextlib
import http.client
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.background.settings import BackgroundSettings

PLACES = (("Ollama", 11434), ("LM Studio", 1234), ("llama.cpp", 8080), ("vLLM", 8000), ("SGLang", 30000))
HOSTS = ("127.0.0.1", "::1")
WITHIN_S = 0.5
MAX_RESPONSE_BYTES = 512 * 1024
MAX_MODELS = 1_000
_NOT_FOR_TALKING = re.compile(
    r"embed|whisper|rerank|transcribe|diffusion|dall-e|moderation|guard|clip-vit"
    r"|(?:^|[-_/.:])(?:tts|asr|stt|bge|e5|gte|sdxl|flux|parler|kokoro|sora|parakeet)(?:$|[-_/.:\d])"
    r"|minilm|piper|(?:gpt-image|realtime)",
    re.IGNORECASE,
)
_OWNERS = {"llamacpp": "llama.cpp", "vllm": "vLLM", "sglang": "SGLang", "library": "Ollama"}


@dataclass(frozen=True)
class Found:
    """A server that answers. ``models``: those for talking, in its own order; there is at least one."""

    name: str
    base_url: str
    models: tuple[str, ...]


def parse_models(data: bytes) -> tuple[str, ...]:
    """The names of the models for talking in the answer to ``GET /v1/models``.

    Raises:
        ValueError: it is no list of models.
    """
    return tuple(name for name, _ in _listed(data) if not _NOT_FOR_TALKING.search(name))


def _listed(data: bytes) -> list[tuple[str, str]]:
    """(name, owner) of all models."""
    try:
        page: Any = json.loads(data)
    except RecursionError as err:
        raise ValueError("no list of models") from err
    models = page.get("data") if isinstance(page, dict) else None
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        raise ValueError("no list of models")
    names = [(model.get("id"), model.get("owned_by")) for model in models[:MAX_MODELS]]
    if not all(isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable() for name, _ in names):
        raise ValueError("models without names")
    return [(str(name), str(owner)) for name, owner in names]


def discover(
    places: Sequence[tuple[str, int]] = PLACES, hosts: Sequence[str] = HOSTS, within_s: float = WITHIN_S
) -> tuple[Found, ...]:
    """The servers that answer, in the order of ``places``; takes ``within_s`` seconds at the most."""
    return asyncio.run(_discover(places, hosts, within_s))


def with_discovered(settings: BackgroundSettings) -> BackgroundSettings:
    """``settings`` with a server of this computer where none is named; unchanged when none is found.

    A named model decides between several servers. The key is for another server
    and is not sent to this one.
    """
    if settings.base_url or not settings.discover:
        return settings
    found = discover()
    chosen = next((server for server in found if settings.model in server.models), None)
    if chosen is None:
        if not found:
            return settings
        chosen = found[0]
        settings = replace(settings, model=chosen.models[0])
    return replace(settings, base_url=chosen.base_url, api_key="")


async def _discover(
    places: Sequence[tuple[str, int]], hosts: Sequence[str], within_s: float
) -> tuple[Found, ...]:
    asked = [(name, host, port) for name, port in places for host in hosts]
    answers = await asyncio.gather(*(_ask(host, port, within_s) for _, host, port in asked))
    found: dict[int, Found] = {}
    for (name, host, port), data in zip(asked, answers, strict=True):
        server = _understand(name, host, port, data) if data else None
        if server is not None:
            found.setdefault(port, server)
    return tuple(found.values())


async def _ask(host: str, port: int, within_s: float) -> bytes:
    """What comes back within the time, up to a cap; empty when nothing does."""
    came = bytearray()
    writer: asyncio.StreamWriter | None = None
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(host, port)
            head = f"GET /v1/models HTTP/1.0\r\nHost: {_shown(host)}:{port}\r\nAccept: application/json"
            writer.write(f"{head}\r\n\r\n".encode())
            while len(came) < MAX_RESPONSE_BYTES and (data := await reader.read(65_536)):
                came += data
    if writer is not None:
        # At once: the other side may never read what is still to be sent.
        writer.transport.abort()
    return bytes(came)


class _Received:
    """What ``http.client`` takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _understand(name: str, host: str, port: int, data: bytes) -> Found | None:
    """The server that sent ``data``, None when it is no language model server."""
    try:
        response = http.client.HTTPResponse(_Received(data))  # type: ignore[arg-type]
        response.begin()
        body = response.read() if response.status == 200 else b""
        listed = _listed(body)
        models = parse_models(body)
    except (http.client.HTTPException, ValueError, OSError):
        return None
    if not models:
        return None
    name = _OWNERS.get(listed[0][1], name)
    return Found(name, f"http://{_shown(host)}:{port}/v1", models)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""What the tests of language models on servers share."""

from engine.background.prompt import Prompt, ToolUse
from engine.background.remote import RemoteModel
from engine.background.settings import BackgroundSettings
from engine.background.tools.tool import Tool, ToolResult, schema
from tests.fake_openai import (
    FakeOpenAI,
)

PICTURE = b"\xff\xd8"
CLOCK = Tool(
    "get_time",
    "The time somewhere.",
    schema(("place",), place={"type": "string"}),
    lambda a, c: ToolResult("Five."),
)


def never() -> bool:
    return False


def model_at(base_url: str, **settings) -> RemoteModel:
    model = RemoteModel(BackgroundSettings(base_url=base_url, **{"model": "test-model", **settings}))
    model.warm_up()
    return model


def text_of(pieces: list[str | ToolUse]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def uses_of(pieces: list[str | ToolUse]) -> list[ToolUse]:
    return [piece for piece in pieces if isinstance(piece, ToolUse)]


def ask(server: FakeOpenAI, prompt: Prompt | None = None, **settings) -> list[str | ToolUse]:
    return list(model_at(server.base_url, **settings).stream(prompt or Prompt("?"), never))

"""What a server's tool gave back, cut down to words and one picture. Nothing in it is ever executed."""

import base64
import binascii
import json
from typing import TYPE_CHECKING

from engine.background.spoken import plain_text
from engine.background.tools.mcp_schema import clean_text, visible
from engine.background.tools.picture import PictureError, as_jpeg
from engine.background.tools.tool import MAX_RESULT_CHARS, ToolError, ToolResult

if TYPE_CHECKING:
    from mcp_types import CallToolResult

MAX_SAY = 300
MAX_PARTS = 100
MAX_SPOKEN = 4
PICTURES = ("image/jpeg", "image/png")


def tool_result(result: "CallToolResult", server: str, tool: str) -> ToolResult:
    """Text joined and capped, the first picture as JPEG, everything else mentioned in words.

    Raises:
        ToolError: the tool itself says that it failed.
    """
    texts: list[str] = []
    others: list[str] = []
    jpeg = b""
    for part in result.content[:MAX_PARTS]:
        if part.type == "text":
            texts.append(visible(part.text[: 2 * MAX_RESULT_CHARS]).strip())
        elif part.type == "image":
            picture = _jpeg(part.data, part.mime_type) if not jpeg else b""
            others.append("a picture" if picture else "a picture that was left out")
            jpeg = jpeg or picture
        elif part.type == "audio":
            others.append("a sound that was left out")
        elif part.type == "resource_link":
            others.append(f"a link to {clean_text(part.name, 60)}")
        else:
            others.append("a file that was left out")
    if len(result.content) > MAX_PARTS:
        others.append("more that was left out")
    text = "\n".join(filter(None, texts))
    said = shortened(plain_text(text[:MAX_RESULT_CHARS]), MAX_SAY)
    if result.is_error:
        why = shortened(said, 150)
        raise ToolError(f"The tool {tool} of {server} failed: {why}" if why else f"The tool {tool} failed.")
    if not text and result.structured_content is not None:
        text = _as_json(result.structured_content)
        said = _spoken(result.structured_content)
    if others:
        mentioned = ", ".join(dict.fromkeys(others))[:MAX_SAY]
        text = f"{text[: MAX_RESULT_CHARS - MAX_SAY - 3]}\n[{mentioned}]".strip()
        said = said or f"I got {mentioned}."
    return ToolResult(
        said or "Done.", {"server": server, "tool": tool, "text": text[:MAX_RESULT_CHARS]}, jpeg
    )


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters: whole sentences where there are any, else whole words."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    end = max(head.rfind(mark) for mark in (". ", "! ", "? "))
    if end > 0:
        return head[: end + 1]
    return f"{head[: head.rfind(' ')] if ' ' in head else head} …"


def _as_json(value: object) -> str:
    try:
        return visible(json.dumps(value, ensure_ascii=False)[:MAX_RESULT_CHARS])
    except (TypeError, ValueError, RecursionError):
        return ""


def _spoken(value: object) -> str:
    """Some few plain values by name; more than that is for language models."""
    parts = list(value.items()) if isinstance(value, dict) else [("", value)]
    if len(parts) > MAX_SPOKEN or any(isinstance(part, dict | list) for _, part in parts):
        return "I got an answer that is too long to say."
    words = ", ".join(f"{str(name).replace('_', ' ')} {part}".strip() for name, part in parts)
    return shortened(plain_text(visible(words[: 2 * MAX_SAY])), MAX_SAY)


def _jpeg(data: str, mime_type: str) -> bytes:
    if mime_type not in PICTURES:
        return b""
    try:
        return as_jpeg(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError, PictureError):
        return b""

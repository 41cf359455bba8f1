"""What a server says of its tools, made harmless: names, descriptions and argument schemas.

A schema is rebuilt from known keywords only. Patterns are dropped, because a bad
one could hold the whole process; references are written out, never fetched.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from engine.background.spoken import strip_invisible
from engine.background.tools.tool import Arguments, ToolError

MAX_DESCRIPTION = 500
MAX_SCHEMA_CHARS = 16_000
MAX_DEPTH = 8
MAX_NODES = 400
MAX_CHOICES = 100
MAX_ARGUMENT_CHARS = 100_000
OPEN: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_UNIONS = ("anyOf", "oneOf", "allOf")


class _BadSchemaError(Exception):
    """Too large, too deep, recursive, or no schema at all."""


def visible(text: str) -> str:
    """Without terminal codes, control and invisible characters; white space stays."""
    return strip_invisible(_ESCAPES.sub("", text))


def clean_text(text: object, limit: int = MAX_DESCRIPTION) -> str:
    """One line without control or invisible characters; empty when it is no text."""
    if not isinstance(text, str):
        return ""
    return " ".join(visible(text[: 4 * limit]).split())[:limit].rstrip()


def safe_schema(raw: object) -> dict[str, Any]:
    """A schema of an object that describes what ``raw`` does, or an open object where ``raw`` is no good."""
    try:
        if not isinstance(raw, dict) or raw.get("type") != "object":
            raise _BadSchemaError
        rebuilt = _Rebuild(raw).schema(raw, 0, ())
        if len(json.dumps(rebuilt)) > MAX_SCHEMA_CHARS:
            raise _BadSchemaError
    except (_BadSchemaError, ValueError, RecursionError):
        return dict(OPEN)
    rebuilt.setdefault("properties", {})
    return rebuilt


def check_arguments(arguments: Arguments, schema: Mapping[str, Any]) -> None:
    """Refuse arguments that do not fit; ``schema``: from ``safe_schema``, so checking it is quick.

    Raises:
        ToolError: they do not fit, or are too long.
    """
    from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped]
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

    try:
        if len(json.dumps(arguments)) > MAX_ARGUMENT_CHARS:
            raise ToolError("That is too long for this tool.")
    except (TypeError, ValueError, RecursionError) as err:
        raise ToolError("I could not fill in what this tool needs.") from err
    try:
        error = best_match(Draft202012Validator(schema).iter_errors(arguments))
    except (SchemaError, TypeError, RecursionError):
        return
    if error is not None:
        where = clean_text(".".join(str(part) for part in error.absolute_path), 40)
        if error.validator == "required":
            missing = next((name for name in error.validator_value if name not in error.instance), "")
            where = clean_text(missing, 40)
            raise ToolError(f"This tool needs to know: {where}.")
        raise ToolError(f"I have no fitting value for {where or 'this tool'}.")


class _Rebuild:
    """One pass over one schema, with a bound on the number of its parts."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = MAX_NODES

    def schema(self, raw: object, depth: int, opened: tuple[str, ...]) -> dict[str, Any]:
        """``opened``: the references that lead here; one that comes twice never ends."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _BadSchemaError
        if raw is True:
            return {}
        if not isinstance(raw, dict):
            raise _BadSchemaError
        if "$ref" in raw:
            return self._reference(raw["$ref"], depth, opened)
        new = self._plain(raw)
        if isinstance(raw.get("properties"), dict):
            new["properties"] = {
                name: self.schema(value, depth + 1, opened)
                for name, value in raw["properties"].items()
                if isinstance(name, str) and name == clean_text(name, 64) and name
            }
        if isinstance(raw.get("required"), list):
            known = new.get("properties", {})
            new["required"] = [name for name in raw["required"] if isinstance(name, str) and name in known]
        if isinstance(raw.get("items"), dict | bool):
            new["items"] = self.schema(raw["items"], depth + 1, opened)
        if raw.get("additionalProperties") is False:
            new["additionalProperties"] = False
        elif isinstance(raw.get("additionalProperties"), dict):
            new["additionalProperties"] = self.schema(raw["additionalProperties"], depth + 1, opened)
        for key in _UNIONS:
            if isinstance(raw.get(key), list) and raw[key]:
                new[key] = [self.schema(part, depth + 1, opened) for part in raw[key]]
        return new

    def _reference(self, name: object, depth: int, opened: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(name, str) or not name.startswith("#/") or name in opened:
            raise _BadSchemaError
        found: Any = self._root
        for step in name[2:].split("/"):
            if not isinstance(found, dict) or step not in found:
                raise _BadSchemaError
            found = found[step]
        return self.schema(found, depth + 1, (*opened, name))

    def _plain(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The keywords that hold no schemas themselves."""
        new: dict[str, Any] = {}
        kinds = raw.get("type")
        if isinstance(kinds, str) and kinds in _TYPES:
            new["type"] = kinds
        elif isinstance(kinds, list) and kinds and all(kind in _TYPES for kind in kinds):
            new["type"] = list(dict.fromkeys(kinds))
        elif kinds is not None:
            raise _BadSchemaError
        if text := clean_text(raw.get("description"), 200):
            new["description"] = text
        if isinstance(raw.get("enum"), list) and 0 < len(raw["enum"]) <= MAX_CHOICES:
            choices = [value for value in raw["enum"] if _is_plain(value)]
            new.update({"enum": choices} if len(choices) == len(raw["enum"]) else {})
        for key in ("const", "default"):
            if key in raw and _is_plain(raw[key]):
                new[key] = raw[key]
        for key in _NUMBERS:
            if isinstance(raw.get(key), int | float) and not isinstance(raw[key], bool):
                new[key] = raw[key]
        for key in _COUNTS:
            if isinstance(raw.get(key), int) and not isinstance(raw[key], bool) and raw[key] >= 0:
                new[key] = raw[key]
        return new


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return value == clean_text(value, 200)
    return value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))

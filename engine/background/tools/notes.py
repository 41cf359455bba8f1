"""Tools for notes, for lists of things, and for what the user tells about themselves."""

import re
from collections.abc import Sequence

from engine.background.store import Note
from engine.background.tools.saying import count, joined, proper, sentence, to_you, words_of
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

MAX_ITEMS = 50
_SAID = 8  # notes that are read out at most
_SMALL = frozenset(
    "a an the my your of to in on at for about and or is are was i you me what did do that it with".split()
)


def _note(arguments: Arguments, context: ToolContext) -> ToolResult:
    store = context.store
    text = words_of(arguments, "text")
    if not text:
        return ToolResult("What should I note down?", {"needs": "text"})
    old = store.notes()[-1:] if arguments.get("replace") else ()
    if old and arguments.get("part"):
        mended = _mended(old[0].text, text)
        if mended is None:
            raise ToolError("I don't know what to change in your note. Please say it as a whole.")
        text = mended
    if old and store.change_note(old[0].id, text):
        return ToolResult(sentence(f"changed to: {_shown(text)}"), {"id": old[0].id})
    made = store.add_note(text, context.now)
    return ToolResult(sentence(f"noted: {_shown(text)}"), {"id": made.id})


def _mended(old: str, new: str) -> str | None:
    """``old`` with ``new`` in the place it belongs to: "the car is on level 3", "level 4".

    The place begins at a word that both have, or is the only number or weekday.
    A text half as long as the note or longer takes its place; None: nothing fits.
    """
    words, put = old.split(), new.split()
    if len(put) >= len(words):
        return new
    for start in range(len(words) - len(put), -1, -1):
        if words[start] == put[0] and len(put) > 1:
            return " ".join((*words[:start], *put, *words[start + len(put) :]))
    if len(put) == 1 and re.fullmatch(r"\d+", new):
        numbers = [k for k, word in enumerate(words) if re.fullmatch(r"\d+", word)]
        if len(numbers) == 1:
            return " ".join((*words[: numbers[0]], new, *words[numbers[0] + 1 :]))
    days = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    if re.fullmatch(days, new) and len(re.findall(days, old)) == 1:
        return re.sub(days, new, old)
    return new if 2 * len(put) >= len(words) else None


def _notes(arguments: Arguments, context: ToolContext) -> ToolResult:
    notes = context.store.notes()
    what, about = arguments.get("what", "list"), words_of(arguments, "about")
    found = _find(notes, about) if about else list(notes)
    if not found:
        said = f"you have no notes about {about[:80]}" if about else "you have no notes"
        return ToolResult(sentence(said), {"count": 0})
    if what == "count":
        return ToolResult(sentence(f"you have {count(len(found), 'note')}"), {"count": len(found)})
    if what == "last":
        found = found[-1:]
    if len(found) == 1:
        start = "your last note says" if what == "last" else "your note says"
        return ToolResult(sentence(f"{start}: {_shown(found[0].text)}"), {"count": 1})
    shown = found[-_SAID:]
    first = len(found) - len(shown) + 1
    parts = " ".join(sentence(f"{first + n}: {_shown(note.text)}") for n, note in enumerate(shown))
    last = f", the last {_SAID} are" if len(found) > _SAID else ""
    return ToolResult(f"You have {len(found)} notes{last}. {parts}", {"count": len(found)})


def _delete_note(arguments: Arguments, context: ToolContext) -> ToolResult:
    store = context.store
    notes = store.notes()
    which, about = arguments.get("which", ""), words_of(arguments, "about")
    if not notes:
        return ToolResult("You have no notes.", {"count": 0})
    if about:
        found = _find(notes, about)
        if not found:
            return ToolResult(sentence(f"you have no notes about {about[:80]}"), {"count": 0})
        if len(found) > 1:
            said = "; ".join(_shown(note.text) for note in found[-_SAID:])
            return ToolResult(sentence(f"{len(found)} notes are about that: {said}. Which one?"))
    elif which == "all":
        found = list(notes)
    elif which == "newest":
        found = [notes[-1]]
    else:
        number = int(which) if str(which).isdecimal() and len(str(which)) < 6 else 0
        if not 1 <= number <= len(notes):
            raise ToolError("I don't know which note you mean.")
        found = [notes[number - 1]]
    store.delete_notes(*(note.id for note in found))
    if len(found) > 1:
        return ToolResult(f"All {len(found)} notes are deleted.", {"count": len(found)})
    return ToolResult(sentence(f"deleted the note: {_shown(found[0].text)}"), {"count": 1})


def _find(notes: Sequence[Note], about: str) -> list[Note]:
    """Notes with all words of ``about``, whatever their endings; else those with at least half of them."""
    words = _stems(about)
    if not words:
        return []
    hits = [(len(words & _stems(note.text)), note) for note in notes]
    best = max((number for number, _ in hits), default=0)
    return [note for number, note in hits if number == best and 2 * number >= len(words)]


def _stems(text: str) -> set[str]:
    words = set(re.findall(r"[^\W_]+", text.lower().replace("'s", ""))) - _SMALL
    return {_stem(word) for word in words}


def _stem(word: str) -> str:
    for end in ("ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word.removesuffix(end)
    return word.removesuffix("e") if len(word) > 3 else word


def _shown(text: str) -> str:
    return to_you(proper(text))


def _list(arguments: Arguments, context: ToolContext) -> ToolResult:
    store = context.store
    name, what = _list_name(arguments), arguments.get("what", "add")
    items = _items(arguments.get("items", ()))
    have = store.items(name)
    if what == "clear":
        known = store.delete_list(name)
        return ToolResult(
            f"Your {name} list is empty now." if known and have else f"Your {name} list was already empty."
        )
    if not items and what == "add":
        return ToolResult(f"What should I put on your {name} list?", {"needs": "items"})
    if what == "remove" and items:
        found = _on_list(have, items)
        if not found:
            return ToolResult(sentence(f"{joined(items) or 'that'} is not on your {name} list"))
        store.remove_items(name, found)
        missing = [item for item in items if not _on_list(found, [item])]
        rest = f", but {joined(missing)} was not on it" if missing else ""
        said = f"I took {joined(found)} off your {name} list{rest}"
        return ToolResult(sentence(said), {"count": len(have) - len(found)})
    out = _on_list(have, _items(arguments.get("instead_of", ())))
    new = [item for item in items if item not in out and not _on_list(have, [item], whole=True)]
    if out:
        store.swap_items(name, out, items)
        now = store.items(name)
        said = f"I put {joined(items)} on your {name} list instead of {joined(out)}"
        return ToolResult(sentence(said), {"count": len(now)})
    if what != "add":
        raise ToolError("I didn't understand what to do with the list.")
    if not new:
        verb = "is" if len(items) == 1 else "are"
        return ToolResult(
            sentence(f"{joined(items)} {verb} already on your {name} list"), {"count": len(have)}
        )
    store.add_items(name, new)
    now = store.items(name)
    said = f"your {name} list has {joined(now)}"
    if len(now) > 4 and len(now) > len(new):
        said = f"I added {joined(new)} to your {name} list, which has {len(now)} things now"
    return ToolResult(sentence(said), {"count": len(now)})


def _lists(arguments: Arguments, context: ToolContext) -> ToolResult:
    store = context.store
    what = arguments.get("what", "read")
    if what == "names":
        names = [name for name in store.lists() if store.items(name)]
        lists = "list" if len(names) == 1 else "lists"
        return ToolResult(sentence(f"you have a {joined(names)} {lists}" if names else "you have no lists"))
    name = _list_name(arguments)
    have = store.items(name)
    data = {"count": len(have)}
    if what == "has":
        items = _items(arguments.get("items", ()))
        there = [item for item in items if _on_list(have, [item])]
        missing = [item for item in items if item not in there]
        if there and missing:
            return ToolResult(sentence(f"{joined(there)}: yes; {joined(missing)}: no"), data)
        verb = "is" if len(items) == 1 and not items[0].endswith("s") else "are"
        answer = (
            f"yes, {joined(there)} {verb} on" if there else f"no, {joined(items) or 'that'} {verb} not on"
        )
        return ToolResult(sentence(f"{answer} your {name} list"), data)
    if not have:
        return ToolResult(f"Your {name} list is empty.", data)
    if what == "count":
        verb = "is" if len(have) == 1 else "are"
        return ToolResult(f"There {verb} {count(len(have), 'thing')} on your {name} list.", data)
    shown = [proper(item) for item in have[:MAX_ITEMS]]
    return ToolResult(sentence(f"your {name} list has {to_you(joined(shown))}"), data)


def _on_list(have: Sequence[str], items: Sequence[str], whole: bool = False) -> list[str]:
    """What is on the list of ``items``, however they end; without ``whole``, "milk" is "oat milk" as well."""
    found: list[str] = []
    for item in items:
        words = _stems(item) or {item}
        same = [one for one in have if (_stems(one) or {one}) == words]
        near = [one for one in have if words <= _stems(one)]
        found += [one for one in same or ([] if whole else near) if one not in found]
    return found


def _list_name(arguments: Arguments) -> str:
    name = re.sub(r"\s+list$|^(?:the|my) ", "", words_of(arguments, "name").lower())[:60]
    return {
        "grocery": "shopping",
        "groceries": "shopping",
        "todo": "to-do",
        "to do": "to-do",
        "": "shopping",
    }.get(name, name)


def _items(value: object) -> list[str]:
    items = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    if len(items) > MAX_ITEMS:
        raise ToolError(f"I can take {MAX_ITEMS} things at a time.")
    kept = [str(item).strip()[:200] for item in items]
    return list(dict.fromkeys(item for item in kept if item))


def _remember(arguments: Arguments, context: ToolContext) -> ToolResult:
    key, value = _key(arguments), words_of(arguments, "value")
    if not key or not value:
        raise ToolError("I didn't understand what to remember.")
    context.store.set_fact(key, value)
    if key == "name":
        return ToolResult(sentence(f"I'll call you {value}"))
    return ToolResult(
        sentence(f"I'll remember that your {_spoken_key(arguments)} is {to_you(proper(value))}")
    )


def _recall(arguments: Arguments, context: ToolContext) -> ToolResult:
    key = _key(arguments)
    if not key:
        facts = context.store.facts()
        said = "; ".join(f"your {name} is {to_you(proper(value))}" for name, value in facts.items())
        return ToolResult(sentence(said or "you haven't told me anything about yourself yet"))
    value = context.store.fact(key)
    if value is None:
        # It may have been dictated as a note.
        near = [note for note in context.store.notes() if _stems(key) <= _stems(note.text)]
        if near:
            return ToolResult(sentence(f"your note says: {_shown(near[-1].text)}"))
        return ToolResult(sentence(f"you haven't told me your {_spoken_key(arguments)}"))
    return ToolResult(sentence(f"your {_spoken_key(arguments)} is {to_you(proper(value))}"), {"value": value})


def _forget(arguments: Arguments, context: ToolContext) -> ToolResult:
    key = _key(arguments)
    if not context.store.forget_fact(key):
        return ToolResult(sentence(f"you haven't told me your {_spoken_key(arguments)}"))
    return ToolResult(sentence(f"I've forgotten your {_spoken_key(arguments)}"))


def _spoken_key(arguments: Arguments) -> str:
    return re.sub(r"^(?:my|the) ", "", words_of(arguments, "key").lower()[:60])


def _key(arguments: Arguments) -> str:
    """One spelling for both sides of the ocean."""
    return _spoken_key(arguments).replace("favourite", "favorite").replace("colour", "color")


_TEXT = {"type": "string"}
_NAME = {"type": "string", "description": 'which list: "shopping", "to-do"'}
_ITEMS = {"type": "array", "items": {"type": "string"}}
NOTE = Tool(
    "note",
    "Write a note down.",
    schema(
        ("text",),
        text=_TEXT,
        replace={"type": "boolean", "description": "change the newest note instead"},
        part={"type": "boolean", "description": "the text is a part of that note, the rest stays"},
    ),
    _note,
    changes=True,
)
NOTES = Tool(
    "notes",
    "Read, find or count the user's notes.",
    schema(
        what={"type": "string", "enum": ["list", "find", "last", "count"]},
        about={"type": "string", "description": "words of the notes that are looked for"},
    ),
    _notes,
)
DELETE_NOTE = Tool(
    "delete_note",
    "Delete notes.",
    schema(
        which={"type": "string", "description": "newest, all, or a number, counted from 1"},
        about={"type": "string", "description": "words of the note"},
    ),
    _delete_note,
    changes=True,
)
LIST = Tool(
    "list",
    "Put things on a list, take them off, or empty it.",
    schema(
        ("name", "what"),
        name=_NAME,
        what={"type": "string", "enum": ["add", "remove", "clear"]},
        items=_ITEMS,
        instead_of={**_ITEMS, "description": "taken off in exchange, for add"},
    ),
    _list,
    changes=True,
)
LISTS = Tool(
    "lists",
    "Read a list, count it, ask whether things are on it, or name all lists.",
    schema(
        ("what",),
        name=_NAME,
        what={"type": "string", "enum": ["read", "count", "has", "names"]},
        items=_ITEMS,
    ),
    _lists,
)
REMEMBER = Tool(
    "remember",
    "Remember something about the user.",
    schema(("key", "value"), key={"type": "string", "description": "name, birthday, ..."}, value=_TEXT),
    _remember,
    changes=True,
)
RECALL = Tool(
    "recall", "What the user told about themselves; without a key, all of it.", schema(key=_TEXT), _recall
)
FORGET = Tool(
    "forget",
    "Forget what the user told about themselves.",
    schema(("key",), key=_TEXT),
    _forget,
    changes=True,
)

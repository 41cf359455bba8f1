"""Requests about lists of things: shopping, to do, packing."""

import re
from datetime import datetime
from typing import Any

from engine.background.tools.notes import LIST, LISTS
from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call
from engine.background.understanding.normal import correction
from engine.background.understanding.planning_words import request

MAX_CHARS = 600
_MAX_ITEM_WORDS = 8
# Things with an "and" in them.
_PAIRS = re.compile(
    r"\b(mac(?:aroni)?|salt|fish|peanut butter|half|rock|bread|gin|bed|lost|health|rice|bits|ham"
    r"|cookies|arts)"
    r" and (cheese|vinegar|chips|jelly|half|roll|butter|tonic|breakfast|found|safety|beans|pieces"
    r"|eggs|cream|crafts)\b"
)
_NAME = r"(?P<name>(?!price\b|guest of\b)[a-z0-9'-]+(?: [a-z0-9'-]+){0,2}?)"
_WHOSE = r"(?:(?:my|the|our|this|that)\s)*"
_LIST = (
    rf"(?:{_WHOSE}(?:{_NAME} )?list|(?P<bare>groceries|shopping|to-?do(?:'?s)?))(?: please| too| as well)?"
)
_ADD = (
    re.compile(
        rf"(?:add|put|write|stick|include|place|get|throw|pop|jot(?: down)?"
        rf"|also add) (?P<items>.+?) (?:to|on|onto|in|into|down on) {_LIST}"
    ),
    re.compile(rf"(?:on|to) {_LIST},? (?:add|put|write) (?P<items>.+)"),
    re.compile(rf"(?:i|we) (?:also )?(?:need|want) (?P<items>.+?) (?:on|in) {_LIST}"),
    re.compile(rf"(?:add to|put on) {_LIST}[,:]? (?P<items>.+)"),
    re.compile(rf"{_LIST}[,:] ?(?:add )?(?P<items>.+)"),
)
_NEW = re.compile(
    rf"(?:make|create|start|begin|open|set up|i need|write)(?: me)? (?:an?|the|another"
    rf"|my)(?: new)? (?:{_NAME} )?list"
    rf"(?: (?:called|named|for) (?:the |my )?(?P<called>[a-z0-9' -]{{1,40}}?))?(?:,? ?(?:with|of"
    rf"|containing|and (?:add|put)|:)(?: on it)? (?P<items>.+))?"
)
_REMOVE = (
    re.compile(
        rf"(?:remove|take|delete|cross|tick|check|strike|drop|scratch|erase|get)(?: off"
        rf"| out)? (?P<items>.+?) (?:from|off|off of|out of|on) {_LIST}"
    ),
    re.compile(rf"(?:cross|tick|check|take) off (?P<items>.+?)(?: (?:from|on|off) {_LIST})"),
)
_SHOW = (
    r"(?:what all is|what is|what's|whats|what are|what do i have|what have i got|read me|read out|read|show"
    r"|show me|tell me|list|check|give me|go through|see|open)"
)
_READ = (
    re.compile(
        rf"{_SHOW}(?: everything| all)?(?: (?:is|that is))?(?: the things)?(?: left)?(?: (?:on"
        rf"|in))? {_LIST}(?: so far| now| again| to me| out)*"
    ),
    re.compile(
        r"what (?:do|did|should|must) (?:i|we) (?:need|have|want) to (?P<do>buy|get|pick up|do"
        r"|pack)(?: (?:from|at) the (?:store|shops?|supermarket|market))?(?: today)?"
        r"|what (?:do|did) (?:i|we) need from the (?:store|shops?|supermarket|market)"
        r"|what is left to (?P<do2>do)"
    ),
    re.compile(rf"{_WHOSE}(?P<name>grocery|shopping|to-?do|to do|packing) list"),
    re.compile(rf"what (?:do|did) (?:i|we) (?:have|put|write|add) (?:on|to|in) {_LIST}"),
)
_READ_DO = re.compile(rf"what do i have to do[,.?:;]? (?:{_SHOW}) {_LIST}")
_HAS = (
    re.compile(
        rf"(?:is|are|was|were)(?: there)?(?: any)? (?P<items>.+?)(?: already| still)? (?:on"
        rf"|in) {_LIST}(?: already| yet)?"
    ),
    re.compile(
        rf"(?:do (?:i|we) have|have (?:i|we) got|did (?:i|we) (?:put|add|have|write)"
        rf"|does it say)(?: any)? (?P<items>.+?) (?:on|in|to) {_LIST}(?: already| yet)?"
    ),
    re.compile(rf"(?:does|has) {_LIST} (?:have|include|contain|got|say)(?: any)? (?P<items>.+)"),
)
_COUNT = (
    re.compile(
        rf"how (?:many|long)(?: (?:things|items|entries|tasks|to-?dos|products))?(?: (?:is|are"
        rf"|are there|do i have|have i got))* ?(?:(?:on|in) )?{_LIST}(?: have)?"
    ),
    re.compile(rf"(?:is|are) {_LIST} empty"),
)
_CLEAR = re.compile(
    rf"(?:clear|empty|wipe|delete|erase|reset|clean|remove|trash|start over)(?: out| off"
    rf"| everything (?:on|from|off|in)| all (?:the )?(?:items|things)?(?: (?:on|from|in))?)? {_LIST}(?: out)?"
)
_NAMES = re.compile(
    r"(?:what|which) lists (?:do i have|are there|have i got)|(?:do i have|are there) any lists"
    r"|(?:show|list|read)(?: me)?(?: all)?(?: of)? my lists|what are my lists|how many lists do i have"
)
_NO_LIST = re.compile(
    r"^(?:a|an|me|the|what|which|is) |^(?:price|guest of|bucket of|wait|check|long|short|whole"
    r"|complete|full|top|world|best|a|an"
    r"|following|alphabetical|numbered|bulleted|random|playlist)$|^(?:short|long|whole|full|complete|top)\b"
)
_FOLLOW_ADD = re.compile(
    r"(?:and|also|plus|oh,? and|and also|as well as|then)?,? ?(?P<verb>add|put|also add|plus|include"
    r"|we also need|i also need|get|throw(?: in)?|stick|pop|chuck)?"
    r"(?:(?<=\w) |(?<!\w))(?P<items>.+?)"
    r"(?P<too>,? (?:too|as well|also|(?:on|to) (?:it|that|the list)|on there|on that list))*"
)
_FOLLOW_REMOVE = re.compile(
    r"(?:and |actually,? |no,? |also |then |but )*(?:(?:remove|delete|drop|take off|take out"
    r"|cross off|tick off|check off|cross out|scratch|take away|lose)"
    r" (?P<items>.+?)(?: (?:off|from|out of|off of)(?: it| there| that| the list)?)?|(?:take|cross"
    r"|tick|check|strike) (?P<items2>.+?) (?:off|out|away|from)(?: (?:it|of it|there|the list|that))?"
    r"|(?:without|not|no|i don't need|we don't need|i already have|i have|i got|i bought"
    r"|forget) (?P<items3>.+?)(?: any ?more)?)"
)
_FOLLOW_READ = re.compile(
    r"(?:and |then |now |so )*(?:(?:read|show|tell|list|give)(?: me)?(?: (?:it|that|them|the list"
    r"|the whole list|everything|all of it))?(?: (?:to me|back|back to me|out|out loud|again|all|aloud))*"
    r"|what(?: is|'s| do i have| have i got|'s all)(?: now)?(?: left)? (?:on|in) (?:it|there|that"
    r"|the list)(?: (?:so far|now|again))*|what is it now|what does it say(?: now)?"
    r"|what do i have(?: so far| now)?)"
)
_FOLLOW_COUNT = re.compile(
    r"(?:and )?how many(?: (?:things|items|entries|tasks))?(?: (?:is that|are|are there|is|do i have"
    r"|have i got))*(?: (?:on|in) (?:it|there|that|the list))?(?: now| in total| altogether)*"
    r"|how long is (?:it|the list)"
)
_FOLLOW_HAS = re.compile(
    r"(?:and |so )*(?:is|are|do i have|did i (?:add"
    r"|put))(?: there)?(?: any)? (?P<items>.+?)(?: already)? (?:on|in|to) (?:it|there|that|the list"
    r"|that list)(?: too| already| as well)?"
)
_FOLLOW_CLEAR = re.compile(
    r"(?:and |now |then )*(?:(?:clear|empty|wipe|erase|delete|reset)(?: (?:it|that|the list"
    r"|everything|all of it|the whole list|them all))(?: out| now)?|remove everything"
    r"|delete everything|take everything off(?: it)?)"
)
_FOLLOW_UNDO = re.compile(
    r"(?:no,? |actually,? |oh |wait,? )*(?:undo(?: (?:it|that))?|cancel(?: (?:it|that))?"
    r"|never ?mind(?: that)?|scratch that|take (?:it|that|them|those) (?:off|back|out)(?: again)?"
    r"|remove (?:it|that|them|those)(?: again)?|delete (?:that|them|those))(?: one| ones)?(?: again)?"
)
_QUESTION = re.compile(
    r"^(?:what|who|whom|whose|how|why|when|where|which|is|are|was|were|do|does|did|can|could|will"
    r"|would|should|am|has|have|tell|show|read|set"
    r"|remind|cancel|delete|play|open|turn|start|stop|close|call|in|at|on|for|to|from|of|not|then|but"
    r"|if|because|so|it|that|this|there|they|he|she|you"
    r"|i'm|i am|it's|that's|make|change|give|search|find|look|note|also what|hello|hi|yes|yeah|no|ok"
    r"|okay|thanks|thank|i|we)\b(?!s)"
)


_NO_ITEM = re.compile(
    r"^[\d.]+$|^(?:(?:me|us|him|count|stop|insult)\b|your )|\b(?:to|from|into|in) (?:the|my|a|your)\b|\bon$"
    r"|^(?:kettle|poem|song|story|music)\b"
)


class Lists:
    """Things on lists."""

    tools: tuple[Tool, ...] = (LIST, LISTS)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        if len(text) > MAX_CHARS or not re.search(
            r"list|to-?do|grocer|shopping|what .* (?:to (?:buy|get|pick|do|pack)|from the)", text
        ):
            return None
        text = request(text)
        text = re.sub(r"^(?:and |also |then )+|^remind me (?=what)", "", text)
        return _ask(text) or _change(text)

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        whole = self.parse(correction(text) or text, now)
        if whole is not None:
            return whole
        name = {"name": last.arguments["name"]} if last.arguments.get("name") else {}
        if not name:
            return None
        return _follow(text, last, name)


def _ask(text: str) -> Call | None:
    if _NAMES.fullmatch(text):
        return Call("lists", {"what": "names"})
    found = _READ_DO.fullmatch(text)
    if found:
        return _about(found, "read")
    for what, patterns in (("count", _COUNT), ("has", _HAS), ("read", _READ)):
        for pattern in patterns:
            found = pattern.fullmatch(text)
            if found:
                items = found.groupdict().get("items")
                call = _about(found, what, items) if what != "has" or _good(items, 6) else None
                if call:
                    return call
    return None


def _change(text: str) -> Call | None:
    found = _CLEAR.fullmatch(text)
    if found:
        return _about(found, "clear")
    found = _NEW.fullmatch(text)
    if found:
        name = found["called"] or found["name"]
        if name and not _NO_LIST.search(name) and (found["items"] or found["called"] or _usual(name)):
            return Call(
                "list", {"name": _named(name), "what": "add", "items": split_items(found["items"] or "")}
            )
        return None
    for what, patterns in (("remove", _REMOVE), ("add", _ADD)):
        for pattern in patterns:
            found = pattern.fullmatch(text)
            if found:
                return _about(found, what, found["items"])
    return None


def _about(found: re.Match[str], what: str, items: str | None = None) -> Call | None:
    groups = found.groupdict()
    name = (
        groups.get("name")
        or groups.get("bare")
        or {"do": "to-do", "pack": "packing"}.get(groups.get("do") or groups.get("do2") or "", "")
    )
    if name and _NO_LIST.search(name):
        return None
    arguments: dict[str, Any] = {"name": _named(name), "what": what}
    if items is not None:
        arguments["items"] = split_items(items)
        if not arguments["items"]:
            return None
    tool = "list" if what in ("add", "remove", "clear") else "lists"
    return Call(tool, arguments)


def _follow(text: str, last: Call, name: dict[str, Any]) -> Call | None:
    added = last.tool == "list" and last.arguments.get("what") == "add"
    items = list(last.arguments.get("items", ()))
    if _FOLLOW_READ.fullmatch(text):
        return Call("lists", {**name, "what": "read"})
    if _FOLLOW_COUNT.fullmatch(text):
        return Call("lists", {**name, "what": "count"})
    if _FOLLOW_UNDO.fullmatch(text) and items and last.tool == "list":
        return Call("list", {**name, "what": "remove" if added else "add", "items": items}, corrects=True)
    if _FOLLOW_CLEAR.fullmatch(text):
        return Call("list", {**name, "what": "clear"})
    found = _FOLLOW_HAS.fullmatch(text)
    if found and _good(found["items"], 5):
        return Call("lists", {**name, "what": "has", "items": split_items(found["items"])})
    if last.arguments.get("what") == "has":
        found = re.fullmatch(r"(?:and|what about|how about|and what about) (?P<items>.+)", text)
        if found and _good(found["items"], 3):
            return Call("lists", {**name, "what": "has", "items": split_items(found["items"])})
    return _follow_change(text, last, name, items)


def _follow_change(text: str, last: Call, name: dict[str, Any], items: list[str]) -> Call | None:
    added = last.tool == "list" and last.arguments.get("what") == "add"
    rest = correction(text)
    if rest is None or re.match(r"(?:remove|take|delete|drop|cross|not|no|i don't need)\b", rest):
        found = _FOLLOW_REMOVE.fullmatch(rest or text)
        words = next(filter(None, found.groupdict().values()), "") if found else ""
        if found and words in ("it", "that", "them", "those"):
            return Call("list", {**name, "what": "remove", "items": items}) if items else None
        if found and _good(words, 4):
            bare = found["items3"] is not None
            # "no milk" takes off only what was just put on.
            if not bare or _shared(split_items(words), items):
                return Call("list", {**name, "what": "remove", "items": split_items(words)}, corrects=bare)
    if rest is not None:
        put = re.sub(r"^(?:add|put|with|it's|get|to)\s", "", rest)
        put, _, out = re.sub(r",? instead$", "", put).partition(" instead of ")
        if added and _good(put, 5):
            old = split_items(out) if out else items
            return Call(
                "list", {**name, "what": "add", "items": split_items(put), "instead_of": old}, corrects=True
            )
        return None
    found = _FOLLOW_ADD.fullmatch(text)
    if found and _good(found["items"], 5):
        begins = re.match(r"(?:and|also|plus|oh)\b", text)
        asked = not items and last.tool == "list"
        if begins or found["verb"] or found["too"] or asked:
            return Call("list", {**name, "what": "add", "items": split_items(found["items"])})
    return None


def split_items(words: str) -> list[str]:
    """ "apples, cheese and 2 bottles of wine" as three things."""
    kept = _PAIRS.sub(lambda found: f"{found[1]} \0 {found[2]}", words.replace("\0", " ").replace(";", ","))
    parts = re.split(r",? and (?:also )?|,? plus |, ?(?:also )?|,? as well as ", kept)
    cleaned = (re.sub(r"^(?:some|the|any|also|more) ", "", part.strip(" .!?\"'")) for part in parts)
    return [part.replace("\0", "and") for part in cleaned if part]


def _good(words: str | None, most: int) -> bool:
    """Whether ``words`` look like things rather than like another request."""
    items = split_items(words or "")
    return bool(items) and all(
        len(item.split()) <= (most if len(items) == 1 else _MAX_ITEM_WORDS)
        and not _QUESTION.match(item)
        and not _NO_ITEM.search(item)
        for item in items
    )


def _shared(items: list[str], others: list[str]) -> bool:
    return any(item in other or other in item for item in items for other in others)


def _named(name: str) -> str:
    name = re.sub(r"^(?:my|the|our|new) |'s$", "", name.strip())
    usual = {
        "grocery": "shopping",
        "groceries": "shopping",
        "todo": "to-do",
        "to do": "to-do",
        "todos": "to-do",
        "to-dos": "to-do",
    }
    return usual.get(name, name) or "shopping"


def _usual(name: str) -> bool:
    return _named(name) in (
        "shopping",
        "to-do",
        "packing",
        "wish",
        "gift",
        "guest",
        "reading",
        "task",
        "bucket",
    )

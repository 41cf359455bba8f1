"""Whether a tool may run: levels from settings, the user's spoken yes or no, and nothing else.

A tool's output never comes here, so nothing that it says can allow anything.
"""

import enum
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.background.spoken import strip_invisible
from engine.background.tools.tool import Arguments, Permission, Tool

MAX_SETTINGS_BYTES = 64 * 1024
MAX_QUOTED = 60
MAX_REPLY_WORDS = 12
SETTINGS_NAME = "tools.json"

Ask = Callable[[str], bool | None]
"""Puts a question to the user: yes, no, or None when no clear answer came in time."""


class Consent(enum.StrEnum):
    """What became of asking; only ``GIVEN`` lets a tool run."""

    GIVEN = "given"
    DENIED = "denied"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Rules:
    """The user's own settings. ``broken``: the file cannot be trusted, so everything that matters asks."""

    levels: Mapping[str, Permission] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    on: frozenset[str] = frozenset()
    troubles: tuple[str, ...] = ()
    broken: bool = False


def read_rules(path: Path) -> Rules:
    """Rules from config_dir()/tools.json. No file: the tools' own levels.

    A broken entry makes its tool ask each time; a broken file makes every tool
    ask each time that has a level, changes something or goes online.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SETTINGS_BYTES + 1)
    except FileNotFoundError:
        return Rules()
    except OSError as err:
        return _broken(f"{path} cannot be read ({err.strerror}); check its permissions")
    try:
        entries = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as err:
        return _broken(f"{path} is not valid JSON ({err.__class__.__name__}); mend it or remove it")
    if not isinstance(entries, dict) or len(raw) > MAX_SETTINGS_BYTES:
        return _broken(f"{path} must be a short object such as {{'screenshot': 'ask always', 'off': []}}")
    levels: dict[str, Permission] = {}
    names: dict[str, frozenset[str]] = {"off": frozenset(), "on": frozenset()}
    troubles = []
    for name, value in entries.items():
        if name in names:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                return _broken(f'"{name}" in {path} must be a list of tool names; mend it')
            names[name] = frozenset(value)
        elif isinstance(value, str) and value in tuple(Permission):
            levels[name] = Permission(value)
        else:
            levels[name] = Permission.ASK_ALWAYS
            troubles.append(
                f'"{name[:60]}" in {path} must be "free", "ask once" or "ask always"; it asks always'
            )
    return Rules(levels, names["off"], names["on"], tuple(troubles))


def _broken(trouble: str) -> Rules:
    return Rules(troubles=(f"{trouble}; until then tools ask each time",), broken=True)


class Permissions:
    """The rules and what the user granted in this session. Callable from any thread.

    One question is asked at a time; others wait for its answer. A grant belongs to
    the tool's name and description, so a tool that changes is asked about anew.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._granted: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._asking = threading.Lock()

    @property
    def troubles(self) -> tuple[str, ...]:
        return self._rules.troubles

    def usable(self, tools: Iterable[Tool]) -> tuple[Tool, ...]:
        """Without those that are off; those online are off until the user switches them on.

        A server's tools (``server__tool``) were switched on where the server is set up.
        """
        rules = self._rules
        return tuple(
            tool
            for tool in tools
            if tool.name not in rules.off and (not tool.online or tool.name in rules.on or "__" in tool.name)
        )

    def level(self, tool: Tool) -> Permission:
        """The user's level for it, else its own."""
        if self._rules.broken and (tool.permission != Permission.FREE or tool.changes or tool.online):
            return Permission.ASK_ALWAYS
        return self._rules.levels.get(tool.name, tool.permission)

    def ask(self, tool: Tool, describe: str, ask: Ask) -> Consent:
        """Whether it may run now; blocks while ``ask`` puts ``describe`` to the user.

        A no or silence counts for this call only. What ``ask`` raises is passed on.
        """
        level = self.level(tool)
        if not self.usable((tool,)):
            return Consent.DENIED
        key = (tool.name, tool.description)
        if level == Permission.FREE or (level == Permission.ASK_ONCE and self._has(key)):
            return Consent.GIVEN
        with self._asking:
            if level == Permission.ASK_ONCE and self._has(key):
                return Consent.GIVEN
            answer = ask(describe)
            # Nothing but a plain True will do.
            if answer is not True:
                return Consent.DENIED if answer is False else Consent.UNANSWERED
            if level == Permission.ASK_ONCE:
                with self._lock:
                    self._granted.add(key)
            return Consent.GIVEN

    def forget(self) -> None:
        """A new session: everything is asked again."""
        with self._lock:
            self._granted.clear()

    def _has(self, key: tuple[str, str]) -> bool:
        with self._lock:
            return key in self._granted


_QUESTIONS = {
    "screenshot": "May I take a screenshot?",
    "look": "May I look through the camera?",
    "read_file": "May I read the file that you picked?",
    "watch": "May I count, watch or keep time for you?",
    "web": "May I search the web{what}?",
}
_QUOTED = {"web": "query"}


def question_for(tool: Tool, arguments: Arguments) -> str:
    """One short question to be said. Of the arguments it has at most 60 plain characters."""
    if tool.name in _QUESTIONS:
        what = _quoted(arguments.get(_QUOTED.get(tool.name, "")))
        return _QUESTIONS[tool.name].format(what=f" for {what}" if what else "")
    server, found, name = tool.name.partition("__")
    if found:
        return f"May I use {name[:MAX_QUOTED]} of the server {server}?"
    return f"May I use {tool.name[:MAX_QUOTED].replace('_', ' ')}?"


def _quoted(value: object) -> str:
    if not isinstance(value, str):
        return ""
    text = "".join(c for c in strip_invisible(value) if c.isalnum() or c in " '-.,")
    return " ".join(text.split())[:MAX_QUOTED].strip(" .,")


_YES_PHRASES = re.compile(
    r"\b(?:go (?:right )?ahead|go for it|do it|do that|of course|all right|you (?:may|can|have my permission)"
    r"|please do|that's (?:fine|ok|okay)|no problem|by all means|be my guest)\b(?!')"
)
_NOT_YES = re.compile(
    r"\b(?:not|don't|dont|never) (?:yesphrase|ok|okay|fine|alright|allowed)\b|\byesphrase not$"
)
_YES = frozenset(
    "yes yeah yep yup yea aye sure ok okay alright fine absolutely certainly definitely affirmative "
    "permitted granted allowed yesphrase".split()
)
_NO_PHRASES = re.compile(r"\b(?:not now|never mind|no way|leave it|rather not|i refuse)\b")
_NO = frozenset(
    "no nope nah nay not don't dont never stop cancel negative denied refused nophrase can't cannot".split()
)
_BESIDE_YES = frozenset(
    "please do it that just this once time now then i you may can thanks thank and go ahead fine with me by "
    "microturn for let's".split()
)
_BESIDE_NO = frozenset(
    "please do it that this time now i you thanks thank for me just said want to would like should must "
    "let's microturn mean".split()
)
_FILLERS = frozenset("uh um er erm hm hmm mm well oh ah hey so like".split())
_NO_ANSWER = re.compile(r"\?|\b(?:no (?:idea|clue|matter)|not sure|why not|not at all)\b")


def yes_or_no(text: str) -> bool | None:
    """What a spoken reply to a question means; None when it could mean either, or something else.

    A yes has nothing beside it but courtesies; a no may only lack a yes.
    """
    plain = " ".join(strip_invisible(text).lower().replace("’", "'").split())
    if _NO_ANSWER.search(plain):
        return None
    plain = " ".join(re.sub(r"[^\w' ]+", " ", plain).split())
    plain = _NO_PHRASES.sub("nophrase", _YES_PHRASES.sub("yesphrase", plain))
    plain = _NOT_YES.sub("nophrase", plain)
    words = [word for word in plain.split() if word not in _FILLERS]
    if not words or len(words) > MAX_REPLY_WORDS:
        return None
    positive, negative = _YES.intersection(words), _NO.intersection(words)
    if positive and not negative and _YES.union(_BESIDE_YES).issuperset(words):
        return True
    if negative and (
        (words[0] in _NO and (not positive or words[-1] in _NO)) or _NO.union(_BESIDE_NO).issuperset(words)
    ):
        return False
    return None

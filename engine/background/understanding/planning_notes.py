"""Requests about notes, and about what the user tells of themselves."""

import re
from datetime import datetime

from engine.background.tools.notes import DELETE_NOTE, FORGET, NOTE, NOTES, RECALL, REMEMBER
from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call
from engine.background.understanding.dates import MONTH
from engine.background.understanding.normal import correction
from engine.background.understanding.planning_words import request

MAX_CHARS = 2_000
_LEAD_TEXT = r"(?:[,:]| that| saying| which says| to self| to myself| for me|,? it says| reading)*[,:]? ?"
_WRITE = (
    re.compile(
        r"(?:take|make|write|add|save|create|leave|record|start|jot down|keep|do|i want to (?:make"
        r"|take)|i need to (?:make|take))(?: me)?(?: down)?"
        rf" (?:a|an|another|the|this|1)(?: new| quick| short)? note(?: to self| for me)?(?:(?: of"
        rf"| about)(?: this| that| it)?(?=[ ,:]|$))?{_LEAD_TEXT}(?P<text>.*)"
    ),
    re.compile(
        r"(?:write|jot|note|put)(?: (?:this|that|it))? down(?: for me)?(?:[,:]| that)*[,:]? ?(?P<text>.*)"
    ),
    re.compile(
        r"(?:new )?note(?: to self| to myself)?[,:] ?(?P<text>.+)|note to (?:self|myself)[,:]? (?P<text2>.+)"
    ),
    re.compile(
        r"(?:please )?(?:note|take note)(?: down)? that (?!(?:this|that|it|these|there) )(?P<text>.+)"
        r"|take note(?: of)?[,:]? (?P<text2>.+)"
    ),
    re.compile(
        r"remember (?:this|the following)[,:] ?(?P<text>.+)|(?:please )?remember that (?P<text2>.+)"
        r"|keep in mind that (?P<text3>.+)"
    ),
    re.compile(r"add to my notes[,:]?(?: that)? (?P<text>.+)|add (?P<text2>.+) to my notes"),
)
_SHOW = (
    r"(?:what are|what is in|what's in|read|read me|read out|read back|show|show me|list|tell me"
    r"|go through|open|check)(?: all)?(?: of)?"
)
_READ = re.compile(
    rf"{_SHOW} (?:my|the) notes(?: (?:to me|out|back|again|so far|out loud))*|(?:what"
    rf"|which) notes (?:do i have|have i (?:got|made|taken)|are there)|what (?:have i"
    rf"|did i) (?:noted?|written?|write)(?: down)?|what did i (?:ask|tell) you to (?:remember"
    rf"|write down|note)(?: down)?"
)
_ANY = re.compile(
    r"(?:do i have|have i got|are there|did i (?:make|take|write)) any notes(?: (?:about|on|for"
    r"|of) (?:the |my )?(?P<about>.+))?"
)
_FIND = (
    re.compile(
        r"(?:find|search|look up|look for|read|read me|show|show me|get|open|what is"
        r"|what does)(?: (?:my|the|a|all))*(?: notes?)(?: say)?(?: (?:about|on|for|with|of"
        r"|regarding)) (?:the |my )?(?P<about>.+)"
    ),
    re.compile(r"(?:search|look (?:in|through)|check)(?: (?:my|the))* notes for (?:the |my )?(?P<about>.+)"),
    re.compile(
        r"what (?:did|have|do) (?:i|my notes|my note) (?:written?|write|noted?|say|put"
        r"|jot)(?: down)? (?:about|on|for|of|regarding) (?:the |my )?(?P<about>.+?)(?: in my notes)?"
    ),
    re.compile(
        r"where did i (?:put|leave|hide|park) (?:the |my )?(?P<about>.+)|where did i (?P<about2>park)"
    ),
    re.compile(r"(?:what does|what do) my notes? say about (?:the |my )?(?P<about>.+)"),
    re.compile(r"what did i (?:tell|ask) you (?:to remember )?about (?:the |my )?(?P<about>.+)"),
)
_LAST = re.compile(
    r"(?:what is|what was|what's|read|read me|show me|show|tell me) (?:my|the) (?:last|latest|newest"
    r"|most recent) note(?: say)?(?: (?:to me|again|back))*|what does my (?:last|latest) note say"
    r"|read (?:my|the|that) note(?: back)?(?: to me)?"
)
_COUNT = re.compile(r"how many notes (?:do i have|are there|have i (?:got|made|taken))")
_STOP = r"(?:delete|forget|erase|remove|cancel|throw away|discard|get rid of|clear|scrap|drop|trash)"
_DELETE = (
    re.compile(
        rf"{_STOP} (?:the|my|that|a) notes? (?:about|on|of|for|that says|saying|with|regarding"
        rf"|to) (?:the |my )?(?P<about>.+)"
    ),
    re.compile(rf"{_STOP} (?:the|my|that|this)(?: (?:last|latest|newest|most recent))? note"),
    re.compile(
        rf"{_STOP} (?P<all>all)(?: of)?(?: (?:my|the))? notes|{_STOP} (?P<all2>my|the) notes"
        rf"|{_STOP} (?P<all3>everything) in my notes"
    ),
    re.compile(
        rf"{_STOP} (?:note (?:number )?(?P<number>\d{{1,3}})|(?:the |my )(?P<nth>first|\d{{1,3}}(?:st"
        rf"|nd|rd|th)) note)"
    ),
    re.compile(rf"{_STOP} (?:the|my) (?P<about>[a-z0-9' -]{{2,40}}) note"),
)
_PERSON = r"[a-z][a-z'-]*(?: [a-z][a-z'-]*){0,2}"
_NAMES = (
    re.compile(rf"(?:hi |hello )?my (?:first )?name(?:'s| is) (?P<name>{_PERSON})"),
    re.compile(rf"(?:you can |please |just )*call me (?P<name>{_PERSON})(?: from now on)?"),
    re.compile(
        rf"remember (?:that )?(?:my name is|i am called|i'm called) (?P<name>{_PERSON})|(?:i'm called"
        rf"|i am called|i go by) (?P<name2>{_PERSON})"
    ),
)
_NO_NAME = re.compile(
    r"^(?:a|an|the|later|back|when|if|tomorrow|today|tonight|at|on|in|maybe|crazy|old|not|what"
    r"|whatever|again|soon|now|or|and|before|after|for|by|to|so|stupid|your|my|that|this|up|out"
    r"|anytime|any|please|something|important|on|spelled|written|hard|long|too|very|unknown"
    r"|time|late|his|her|their|our|upon|in|it|i|you|he|she|we|they|was|is)\b"
    r"|(?:^| )(?:a|an|the|to|of|on|at|is|was|like|upon|it|i)(?: |$)"
)
# What somebody says of a thing in passing, not in place of what was noted.
_REMARK = re.compile(
    r"^(?:i (?:like|love|hate|think|know|see|guess|hope|wish|agree|don't|can't|do|am|was)|i'm"
    r"|you|we|they|he|she|it's|that's|that is|it is|it was|it|this|is|are|was)(?: |$)(?!on |at )"
)
# What a person may ask to have kept under a name; others are notes.
_KEY = (
    r"(?P<key>(?!ip\b|mac\b|current\b|web\b)(?:(?:[a-z']+ ){0,3}(?:name|nickname|birthday|birth date"
    r"|date of birth|age|email|e-mail"
    r"|email address|address|phone number|number|mobile"
    r"|password|passcode|code|pin|pin code|size|anniversary|blood type|job|profession|hometown"
    r"|home town|city|nationality|allergy|allergies|height|weight"
    r"|plate|pet|dog|cat|wife|husband|partner|boss|doctor|dentist|sister|brother|mother|father|mom"
    r"|mum|dad|son|daughter|car|bank|team|school|company|hobby))"
    r"|favou?rite [a-z]+(?: [a-z]+){0,2}?)"
)
_TELL = (
    re.compile(
        rf"(?P<ask>(?:please )?(?:remember|note|keep in mind)(?: that)? )?my {_KEY} (?:is|are"
        rf"|was) (?:called |named |on )?(?P<value>[^?]{{1,120}})"
    ),
    re.compile(r"(?P<ask>i was born on) (?P<value>[a-z0-9 ,]{4,40})"),
    re.compile(r"(?P<ask>i live in) (?P<value>[a-z' -]{2,40})"),
)
_ASK = (
    re.compile(rf"(?:what|who|when|where|which)(?: is|'s| was| are|s)? my {_KEY}(?: again| called)?"),
    re.compile(
        rf"(?:do you (?:know|remember)|tell me|remind me(?: of)?|recall|say|you know)(?: what| who"
        rf"| when)? ?my {_KEY}(?: is)?"
    ),
    re.compile(
        r"what (?P<key>name|favou?rite \w+) (?:did i tell you|do i have)|(?:what"
        r"|which) (?P<key2>colou?r|food) is my favou?rite|my (?P<key3>name)"
    ),
    re.compile(rf"what did i (?:say|tell you) (?:my )?{_KEY} (?:is|was)"),
)
_WHO = re.compile(
    r"who am i|what am i called|what do you call me|do you (?:know|remember) (?:who i am|me)"
    r"|what should you call me|who i am"
)
_WHERE = re.compile(r"where do i live|(?:what city|which city) do i live in")
_BORN = re.compile(r"when was i born")
_ALL = re.compile(
    r"what do you (?:know|remember) about me|what have i told you(?: about (?:me|myself))?"
    r"|tell me (?:what you know )?about me|what did i tell you about (?:me|myself)|what you know about me"
)
_FORGET = re.compile(rf"(?:forget|delete|erase|remove|don't remember) my {_KEY}")
_FOLLOW_READ = re.compile(
    r"(?:and |then |now )*(?:read|say|repeat|show|tell)(?: me)? ?(?:it|that|them|the note"
    r"|that note)?(?: (?:back|to me|again|out|out loud|all))*|what (?:does|did) (?:it|the note) say"
    r"|what is it|what did i say"
)
_FOLLOW_DELETE = re.compile(
    rf"(?:no,? |actually,? |never ?mind,? |oh |wait,? |and |then )*(?:(?:{_STOP}|undo|scratch"
    rf"|take back) (?:(?P<it>it|that|this|that note|the note|that one|the last one)"
    r"|(?P<all>them|them all|all of them|both|those|all)|the (?P<nth>first|last|\d{1,2}(?:st|nd|rd"
    r"|th))(?: one| note)?|(?:number|note) (?P<number>\d{1,2}))(?: again| now)?"
    r"|undo|cancel|scratch that|never ?mind)"
)
_FOLLOW_MORE = re.compile(
    r"(?:and )?(?:another|one more|1 more)(?: note| one)?[,:]? (?!(?:time|thing|question)$)(?P<text>.+)"
    r"|and (?:also )?(?:note |write down )?that (?P<text2>.+)|also(?: note)?(?: that)?,? (?P<text3>.+)"
    r"|(?:and )?add that (?P<text4>.+)"
)
_REPLACED = re.compile(
    r"^(?:(?:make|change) (?:it|that)(?: to)?|it (?:is|should (?:be|say))|it's|i (?:meant|said)"
    r"|that (?:it|the)|write|the note (?:is|should (?:be|say)))[,:]? "
)


_SOME_DAY = re.compile(
    rf"\d|{MONTH}|christmas|easter|new year|hall?oween|valentine|today|tomorrow|yesterday|day\b"
)


class Notes:
    """Notes that the user dictates."""

    tools: tuple[Tool, ...] = (NOTE, NOTES, DELETE_NOTE)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        text = re.sub(r"^and (?=note|take|write|read|delete|what|how)|^remind me (?=what)", "", text)
        return _ask_notes(text) or _delete(text) or _write(text)

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        rest = correction(text)
        found = _FOLLOW_DELETE.fullmatch(text) if last.tool != "delete_note" else None
        if found:
            return _delete_last(found, last)
        whole = self.parse(rest or text, now)
        if whole is not None:
            if rest and whole.tool == last.tool == "note":
                return Call("note", {**whole.arguments, "replace": True}, corrects=True)
            return whole
        if _FOLLOW_READ.fullmatch(text):
            return Call("notes", {"what": "last"} if last.tool == "note" else {"what": "list"})
        if rest and (last.tool == "note" or last.arguments.get("what") == "last"):
            if _REMARK.match(rest) and not _shares(rest, str(last.arguments.get("text", ""))):
                return None
            # The tool knows the note, and finds the place that a few words correct.
            new = _REPLACED.sub("", rest)
            return Call("note", {"text": new, "replace": True, "part": True}, corrects=True)
        if last.tool == "note":
            return _follow_note(text, last)
        found = re.fullmatch(r"(?:and |what |how )*about (?:the |my )?(?P<about>.+)", text)
        if found and last.tool == "notes" and last.arguments.get("about"):
            return Call("notes", {"what": "find", "about": found["about"]})
        return None


class Facts:
    """What the user tells about themselves."""

    tools: tuple[Tool, ...] = (REMEMBER, RECALL, FORGET)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        if len(text) > 200:
            return None
        text = request(text)
        return _ask_fact(text) or _tell(text)

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if len(text) > 200:
            return None
        text = request(text)
        rest = correction(text)
        whole = self.parse(rest or text, now)
        if whole is not None:
            corrected = bool(rest) and whole.tool == last.tool == "remember"
            return Call(whole.tool, whole.arguments, corrects=corrected)
        key = last.arguments.get("key")
        if not key:
            return None
        if last.tool != "forget" and re.fullmatch(
            r"(?:no,? |actually,? )*(?:forget|delete|remove|erase) (?:it|that)|never ?mind", text
        ):
            return Call("forget", {"key": key})
        if last.tool == "remember" and re.fullmatch(r"what (?:is|was) it(?: again)?|what did i say", text):
            return Call("recall", {"key": key})
        value = re.sub(r"^(?:it(?:'s| is)|with|call me|is|my \w+ is) ", "", rest or "")
        found = (
            re.fullmatch(r"(?:it(?:'s| is)|it was) (?P<value>.+)", text) if last.tool == "recall" else None
        )
        value = found["value"] if found else value
        if (
            value
            and len(value.split()) <= 6
            and _fits(str(key), value)
            and not re.match(r"(?:what|how|who|when|where|why|is|are|do|set|cancel)\b", value)
        ):
            return Call(
                "remember", {"key": key, "value": _value(str(key), value)}, corrects=last.tool == "remember"
            )
        return None


def _write(text: str) -> Call | None:
    for pattern in _WRITE:
        found = pattern.fullmatch(text)
        if not found:
            continue
        words = next(filter(None, found.groupdict().values()), "").strip(" ,:.\"'")
        words = re.sub(r"^(?:that|saying|to self|to myself)[,:]? ", "", words)
        if not words:
            return Call("note", {"text": ""}) if not text.startswith("put") else None
        if words in ("it", "this", "that") or (text.startswith("put") and len(words.split()) < 2):
            return None
        return Call("note", {"text": words})
    return None


def _ask_notes(text: str) -> Call | None:
    if _READ.fullmatch(text):
        return Call("notes", {"what": "list"})
    if _COUNT.fullmatch(text):
        return Call("notes", {"what": "count"})
    if _LAST.fullmatch(text):
        return Call("notes", {"what": "last"})
    for pattern in (_ANY, *_FIND):
        found = pattern.fullmatch(text)
        if found:
            about = found["about"] or found.groupdict().get("about2")
            return Call("notes", {"what": "find", "about": about} if about else {"what": "list"})
    return None


def _delete(text: str) -> Call | None:
    for pattern in _DELETE:
        found = pattern.fullmatch(text)
        if found:
            groups = {name: value for name, value in found.groupdict().items() if value}
            if "about" in groups:
                return Call("delete_note", {"about": groups["about"]})
            return Call("delete_note", {"which": _number(groups)})
    return None


def _number(groups: dict[str, str]) -> str:
    if any(name.startswith("all") for name in groups):
        return "all"
    words = groups.get("number") or groups.get("nth") or "newest"
    if words == "last":
        return "newest"
    return {"first": "1", "newest": "newest"}.get(words) or re.sub(r"\D", "", words)


def _delete_last(found: re.Match[str], last: Call) -> Call | None:
    groups = {name: value for name, value in found.groupdict().items() if value}
    which = _number(groups)
    about = last.arguments.get("about")
    if which == "newest" and about and last.tool == "notes":
        return Call("delete_note", {"about": about})
    return Call("delete_note", {"which": which})


def _follow_note(text: str, last: Call) -> Call | None:
    old = str(last.arguments.get("text", ""))
    if not old:
        return None if re.match(r"(?:what|how|who|when|where|why)\b", text) else Call("note", {"text": text})
    found = _FOLLOW_MORE.fullmatch(text)
    if found:
        words = next(filter(None, found.groupdict().values()))
        return (
            None if re.match(r"(?:what|how|who|when|where|why)\b", words) else Call("note", {"text": words})
        )
    return None


def _ask_fact(text: str) -> Call | None:
    if _WHO.fullmatch(text):
        return Call("recall", {"key": "name"})
    if _ALL.fullmatch(text):
        return Call("recall", {})
    if _WHERE.fullmatch(text):
        return Call("recall", {"key": "city"})
    if _BORN.fullmatch(text):
        return Call("recall", {"key": "birthday"})
    found = _FORGET.fullmatch(text)
    if found:
        return Call("forget", {"key": found["key"]})
    for pattern in _ASK:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            key = groups.get("key") or groups.get("key3") or f"favourite {groups.get('key2')}"
            return Call("recall", {"key": key})
    return None


def _tell(text: str) -> Call | None:
    for pattern in _NAMES:
        found = pattern.fullmatch(text)
        if found:
            name = found["name"] or found.groupdict().get("name2") or ""
            fits = _fits("name", name)
            return Call("remember", {"key": "name", "value": _value("name", name)}) if fits else None
    for pattern in _TELL:
        found = pattern.fullmatch(text)
        if not found:
            continue
        key = found.groupdict().get("key") or ("birthday" if "born" in text else "city")
        value = found["value"].strip()
        # Only said in passing: "my car is broken", "my boss is annoying".
        certain = found.groupdict().get("ask") or re.search(
            r"name$|birthday|email|address|number|code|password|pin$|size|favou?rite|anniversary"
            r"|type$|plate|birth$|nationality|hometown",
            key,
        )
        if (
            certain
            and _fits(key, value)
            and not re.match(
                r"(?:not|so|too|very|really|wrong|a secret|what|none|broken|annoying|your)\b", value
            )
        ):
            return Call("remember", {"key": key, "value": _value(key, value)})
    return None


def _fits(key: str, value: str) -> bool:
    """Whether ``value`` can be meant for that fact, and is no remark."""
    if key == "name":
        return not _NO_NAME.search(value)
    if key in ("birthday", "birth date", "date of birth", "anniversary"):
        return bool(_SOME_DAY.search(value))
    return not _REMARK.match(value)


def _shares(words: str, others: str) -> bool:
    """Whether a word that says something is in both."""
    return any(len(word) > 3 and word in others for word in re.findall(r"[\w']+", words))


def _value(key: str, value: str) -> str:
    named = key.endswith(("name", "city", "town", "wife", "husband", "dog", "cat", "partner", "pet", "boss"))
    return " ".join(word[:1].upper() + word[1:] for word in value.split()) if named else value

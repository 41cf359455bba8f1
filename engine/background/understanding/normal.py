"""One form for the same words, however they were typed, recognised or said."""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

from text_to_num import alpha2digit

_SPACE = re.compile(r"\s+")
_TYPED = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "…": " "}
    | {"½": " 1/2 ", "¼": " 1/4 ", "¾": " 3/4 ", "⅓": " 1/3 ", "⅔": " 2/3 "}
)
_INITIALS = re.compile(r"(?<![\w.])(?:[a-z]\.){2,}|(?<![\w.])(?:[a-z]\.)+[a-z](?![\w.])")
_CLOCK = re.compile(r"\b(\d|o'clock)\s?([ap])\.\s?m\b\.?")
_PERCENT = re.compile(r"\bper cent\b")
_HESITATION = re.compile(r"(?:^|(?<=[\s,.]))(?:u+m+|u+h+|e+r+m*|h+m+|a+hm+|mm+)(?=$|[\s,.])[,.]*")
_STUTTER = re.compile(r"\b(the|a|an|is|what|what's|how|of|to|in|i|and|my)(?:,? \1)+(?![\w'])")
_LEADING_MARKS = re.compile(r"^[\s,.;:!?\-]+(?![\d.]|\s*\d)")
_ALL_ARITHMETIC = re.compile(r"(?:what is |what's |calculate )?[\d\s+\-*/().^!]{1,80}")

# Said before a request and meaning nothing for it. Longer ones first; each is dropped only when more follows.
_LEAD = re.compile(
    r"(?:"
    r"(?:hey|hi|hello|okay|ok|yo),? (?:there|microturn|computer|assistant)"
    r"|(?:i have|i've got|i got|just) (?:a|another|one more) (?:quick |little )?question(?: for you)?"
    r"|(?:a |another )?quick question|let me ask you(?: something)?|let's see"
    r"|(?:could|can|would|will) (?:you|ya) (?:please |just |quickly |maybe )*(?:tell|remind) me (?:what"
    r"|how|who|where)"
    r"|(?:could|can|would|will) (?:you|ya) (?:please |just |quickly |maybe )*(?:tell me|help me)(?: with)?"
    r"|would you mind telling me|would you know|do you (?:happen to )?know|do you have any idea"
    r"|any idea|you know"
    r"|(?:could|can|would|will) (?:you|ya)(?: please| just| quickly| maybe)*(?= \w+ \w)"
    r"|i(?:'d| would) (?:like|love) (?:you to|to know)|i(?:'d| would) like to ask(?: you)?"
    r"|i (?:just )?(?:want|need|wanted) (?:you to|to know|to ask(?: you)?)|i(?:'m| am| was)? "
    r"(?:just )?wonder(?:ing)?"
    r"|i(?:'m| am) curious(?: about)?|(?:please |just |and )?tell me(?= (?:what|how|who|where|when"
    r"|which|why|if|the|my)\b)"
    r"|if you (?:don't mind|can|could)|please|well|so|okay|ok|kay|alright|all right|right|hey|hi|hello"
    r"|oh|ah|aha"
    r"|yeah|yes|yep|sure|great|good|nice|cool|thanks|thank you|listen|now|anyway|sorry(?!,? (?:i|no"
    r"|make|wait))"
    r"|excuse me|look|like|just"
    r")(?![\w'])[\s,.;:!\-]*",
)
_LEAD_QUESTION = re.compile(r"(what|how|who|where)$")
_TRAIL = re.compile(
    r"[\s,.;:!?]*(?<![\w'])(?:please|thanks|thank you(?: (?:so|very) much)?|if you (?:can|could|don't mind)"
    r"|do you know|can you tell me|right now please)$"
)
_QUESTION = re.compile(
    r"^((?:and|but|no|actually|wait|i meant?|,| )*)(what|how|who|where|when)(?:'?s|'re),? "
)

_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_TENS = r"(?:(?:twenty|thirty|forty|fifty)[ -])?"
_ORDINAL_SECOND = re.compile(
    rf"(?:\b{_MONTH} (?:the )?{_TENS}second\b|\b{_TENS}second(?= (?:day )?of (?:{_MONTH}\b|the month"
    rf"|next|this))"
    rf"|\bthe {_TENS}second(?=$|[,.?!]| at\b| in the\b| {_MONTH}\b))"
)
_SECOND = re.compile(r"\bsecond\b")
_SMALL_ORDINAL = re.compile(r"(?<!the )(?<![a-z]-)\b(first|third)\b(?! (?:day )?of\b)(?!s)")
_BEFORE_ORDINAL = re.compile(
    rf"(?:{_MONTH}|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|and|one|\ba)[ -]$"
)
_ONE = re.compile(
    r"\bone\b(?! (?:hundred|thousand|million|billion|point|half|third|fourth|fifth|tenth|hundredth)\b)"
)
_BEFORE_PRONOUN = re.compile(
    r"\b(?:that|this|which|the|other|another|any|every|no|some|each|last|next|first|second|third|\w+th"
    r"|new|old"
    r"|right|wrong|only|good|bad|big|bigger|small|smaller|long|longer|short|shorter|my|your|same|a|an|what) $"
)
_AFTER_PRONOUN = re.compile(
    r"^(?:'s\b| of (?!\d|\w+teen|\w+ty)| another\b| who\b| that\b| day (?!is|in|has|and|equals))"
)
_KEPT = {"one": "ōne", "second": "secōnd", "first": "fīrst", "third": "thīrd", "and": "ānd"}
_BACK = {kept: word for word, kept in _KEPT.items()}
_BACK_RE = re.compile("|".join(_BACK))

_NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)
# Two numbers, not one: "twenty and three", "one hundred and two hundred".
_AND = re.compile(
    r"(?<!hundred )(?<!thousand )(?<!million )(?<!billion )(?<!trillion )\band\b"
    rf"|(?<=hundred )and(?= (?:{_NUMBER_WORD}[ -]){{1,2}}hundred\b)"
    rf"|(?<=thousand )and(?= (?:{_NUMBER_WORD}[ -]|hundred (?:and )?){{1,5}}(?:thousand|million)\b)"
)
_SCALE = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_A_SCALE = re.compile(
    r"\b(?:a|an) (?=(?:hundred|thousand|million|billion|trillion)\b(?! (?:of|years?|thanks|times)\b))"
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,]*\d)")
_DIGITS_SCALE = re.compile(
    r"(?<![\d.,])(\d{1,12}(?:\.\d{1,12})?) (hundred|thousand|million|billion|trillion)\b"
)
_POINT_SCALE = re.compile(r"(?<![\d.])(\d{1,12}\.\d{1,12}) (1000{0,10})(?![\d.])")
_POINT = re.compile(r"(?<![\d.])(\d{1,15}) point (\d{1,15}(?: \d(?!\d))*)(?![\d.])")
_BARE_POINT = re.compile(
    r"(^|\b(?:is|of|by|plus|minus|times|and|convert|to|add|over|oh|nought) )point (\d{1,15})(?![\d.])"
)
_PARTS = re.compile(
    r"\b(\d{1,6}) (\d{1,6})(?:ths|rds|nds|sts)\b|\b(?:1|a|an) (\d{1,6})(?:th|rd)\b(?= of\b)|\b1 "
    r"(\d{1,6})(?:th|rd)\b"
)
_NOUGHT = re.compile(r"\b(?:nought|naught)\b")
_NEGATIVE = re.compile(r"\bnegative (?=\d)")

_MARK = (
    r"(?:no,? no(?:,? no)*|no,? (?:wait|sorry)|wait,? no|(?:oh )?no|nope|nah|wait(?=,)|hold on(?=,)"
    r"|actually(?:,? no)?"
    r"|(?:sorry,? )?i (?:mean|meant|said)|sorry,? (?=no\b|i\b|make\b|wait\b)|(?:no,? )?(?:make|change) "
    r"(?:that|it)(?: to)?"
    r"|or rather|rather|scratch that|correction|not that(?: one)?|that's (?:wrong|not what i (?:said"
    r"|meant|asked))|oops)"
)
_MARKS = re.compile(rf"^(?:{_MARK}(?![\w'])[\s,.;:!]*)+")
_NO_MARK = re.compile(
    r"^no,? (?:problem|idea|thanks|thank you|way|one|longer|more|need|worries|doubt|matter|time"
    r"|big deal|clue|kidding)\b"
    r"|^no (?!(?:no|i|it|that|this|the|we|you)\b)[\w']+ (?:is|are|was|were|can|could|will|would|has|have)\b"
    r"|^(?:make it (?:count|stop|so|happen|work|quick|snappy|through|home|better)"
    r"|i mean(?:t|'t)? it|i said (?:no|so|stop))$"
)
_NOT_BUT = re.compile(r"^not [^,]{1,60}?(?:, ?(?:but )?| but )(?=\S)")
_BUT_NOT = re.compile(r"(?<=\S)(?:,| and)? not (?:\S+ ?){1,4}$")


def normal(text: str) -> str:
    """``text`` on one line in lower case, as requests are parsed; "" where nothing was said.

    - Dropped: hesitation anywhere ("um", "uh"); at the beginning what means nothing for the request
      ("okay", "so", "hey microturn", "please", "could you", "could you tell me", "do you know", "i'd like
      to know"; "tell me" only before a question or "the" and "my"); "please" and "thanks" at the end; full
      stops, commas, question and exclamation marks at the end. What consists of such words alone stays
      ("hello").
    - Kept: commas and full stops inside, quotes, "$", "%", ":", "/", "-", "and" at the beginning, and a
      mark of a correction at the beginning ("no,", "actually", "i mean", "make it"; see ``correction``).
    - Number words are digits: "two hundred and fifty" 250, "three point five" 3.5, "1,200" 1200, "1.5
      million" 1500000, "a hundred" 100; "minus five" and "negative 5" are "minus 5". Neighbours stay apart:
      "seven thirty" is "7 30", "seven oh five" "7 oh 5", "twenty twenty six" "20 26".
    - Ordinals: "the third" 3rd, "june twenty first" 21st, "the fifth item" 5th. "first" and "third" stay
      words except after "the" or a month and before "of". "second" is a unit of time and stays a word,
      except in dates and in "the second" at the end of a phrase: "the 2nd", "may 2nd", "2nd of may".
    - Fractions: "two thirds" 2/3, "a fifth of 20" "1/5 of 20". Halves and quarters stay words: "half an
      hour", "quarter past 5", "2 and a half", "3 quarters". So do "a", "an", "dozen", "couple", "noon".
    - "one" is 1, except as a pronoun ("that one", "the first one", "no one", "one of them").
    - "what's", "how's", "who's", "where's", "when's" at the beginning are "what is" and so on. "7 p.m." is
      "7 pm", "U.K." "uk", "per cent" "percent".
    """
    line = unicodedata.normalize("NFC", text).translate(_TYPED).lower()
    line = _SPACE.sub(" ", line).strip()
    if not (line.endswith("!") and _ALL_ARITHMETIC.fullmatch(line)):
        line = line.rstrip(" .?!,;:")
    line = _INITIALS.sub(lambda found: found[0].replace(".", ""), _CLOCK.sub(r"\1 \2m", line))
    line = _HESITATION.sub("", line)
    line = _SPACE.sub(" ", _STUTTER.sub(r"\1", line)).replace(" ,", ",").strip()
    line = _without_ends(line)
    line = _PERCENT.sub("percent", line)
    return _QUESTION.sub(r"\1\2 is ", _SPACE.sub(" ", _digits(line)).strip()).strip()


def correction(text: str) -> str | None:
    """What is to be taken instead: the rest of a normal text after "no,", "actually", "i mean" or "make it".

    "not france but spain" and "no, spain, not france" give "spain". None: the text corrects nothing.
    """
    if _NO_MARK.match(text):
        return None
    found = _MARKS.match(text)
    if found:
        rest = text[found.end() :]
        rest = _BUT_NOT.sub("", _NOT_BUT.sub("", rest)).strip(" ,.;:!")
        return rest or None
    found = _NOT_BUT.match(text)
    return text[found.end() :].strip(" ,") or None if found else None


def _without_ends(line: str) -> str:
    """Without what is said around a request; a line that is nothing else stays."""
    for _ in range(12):
        line = _LEADING_MARKS.sub("", line)
        found = _LEAD.match(line)
        if not found:
            break
        question = _LEAD_QUESTION.search(found[0].strip())
        rest = (question[0] + " " if question else "") + line[found.end() :]
        if not rest.strip(" ,.!?"):
            break
        line = rest
    for _ in range(4):
        found = _TRAIL.search(line[-60:])
        if not found or len(line) - len(found[0]) <= 0:
            break
        line = line[: len(line) - len(found[0])].rstrip(" .?!,;:")
    return line


def _digits(line: str) -> str:
    """Number words as digits; what only looks like a number word stays."""
    line = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), line)
    line = _NOUGHT.sub("zero", _A_SCALE.sub("one ", line))
    line = _DIGITS_SCALE.sub(lambda found: _product(found[1], _SCALE[found[2]]), line)
    line = _AND.sub(_KEPT["and"], line)
    line = _ONE.sub(_kept_if_pronoun(line), line)
    ordinal = {spot for found in _ORDINAL_SECOND.finditer(line) for spot in range(*found.span())}
    line = _SECOND.sub(lambda found: found[0] if found.start() in ordinal else _KEPT["second"], line)
    line = _SMALL_ORDINAL.sub(_kept_unless(_BEFORE_ORDINAL, line), line)
    line = alpha2digit(line, "en", 0)
    line = _BACK_RE.sub(lambda found: _BACK[found[0]], line)
    line = _POINT_SCALE.sub(lambda found: _product(found[1], int(found[2])), line)
    line = _POINT.sub(lambda found: f"{found[1]}.{found[2].replace(' ', '')}", line)
    line = _BARE_POINT.sub(r"\g<1>0.\2", line)
    line = _PARTS.sub(lambda found: f"{found[1] or 1}/{found[2] or found[3] or found[4]}", line)
    return _NEGATIVE.sub("minus ", line)


def _product(number: str, scale: int) -> str:
    return f"{(Decimal(number) * scale).normalize():f}"


def _kept_unless(before: re.Pattern[str], line: str) -> Callable[[re.Match[str]], str]:
    return lambda found: (
        found[0] if before.search(line[max(0, found.start() - 12) : found.start()]) else _KEPT[found[0]]
    )


def _kept_if_pronoun(line: str) -> Callable[[re.Match[str]], str]:
    def change(found: re.Match[str]) -> str:
        before = line[max(0, found.start() - 20) : found.start()]
        after = line[found.end() : found.end() + 20]
        pronoun = _BEFORE_PRONOUN.search(before) or _AFTER_PRONOUN.search(after)
        return _KEPT["one"] if pronoun else found[0]

    return change

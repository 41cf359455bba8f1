"""Requests about countries: "what's the capital of France", "and how many people live there"."""

import re
from datetime import datetime

from engine.background.tools.countries import COUNTRY, Country, find_capital, find_country, find_state
from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call
from engine.background.understanding.normal import correction

MAX_CHARS = 200

_LEAD = re.compile(
    r"^(?:and|now|then|but|also|next|so|or|what about|how about|what of)(?:,? (?:then|now|what about"
    r"|how about))*,? "
)
_FRAME = re.compile(
    r"^(?:what(?= the )|(?:what|who|which|where)(?: is| are| was|'s|'re)|name|give me|find|look up"
    r"|what would be|is there) (?=\S)"
)
_P = r"(?P<place>(?:the )?[^\W\d_][\w'.,& -]{1,50}?)"
_WH = r"(?:what|which)"

# Each what with the ways to ask for it; the place stands where {p} is.
_ASKED: dict[str, tuple[str, ...]] = {
    "capital": (
        r"(?:the )?(?:official )?capital(?: city)? (?:of|for|in) {p}",
        r"{p}'s? capital(?: city)?",
        rf"{_WH}(?: city| town)? is (?:the )?capital(?: city)? (?:of|for|in) {{p}}",
        r"(?:is|isn't) (?:[\w. -]{{2,30}}) (?:the )?capital(?: city)? of {p}",
        r"(?:the )?capital(?: city)? of {p} is(?: called)? what",
        r"what(?: is)? {p}'s? capital(?: city)?(?: called)?",
        r"what (?:city )?is {p}'s capital(?: city)?",
    ),
    "population": (
        (
            r"how many (?:people|inhabitants|citizens|humans|folks)(?: are| live| are living| are there"
            r"| do)?(?: there)?"
            r"(?: live| living)? in {p}"
        ),
        r"how many (?:people|inhabitants|citizens) does {p} have",
        r"(?:the )?(?:current |total )?population(?: size)? (?:of|in|for) {p}",
        r"{p}'s? population",
        r"how (?:big|large|high) is the population (?:of|in) {p}",
        r"how big is {p}'s population",
        r"how populous is {p}",
    ),
    "currency": (
        r"(?:the )?(?:official |national )?(?:currency|money) (?:of|in|for|used in) {p}",
        (
            rf"{_WH}(?: kind of| type of)? (?:currency|money|coins?)(?: do| does| is| are)?(?: they| people"
            rf"| you| we| i)?"
            r"(?: use| have| spend| used| need| pay with| pay in| spent)? in {p}"
        ),
        rf"{_WH} (?:currency|money) does {{p}} (?:use|have)",
        r"{p}'s? (?:currency|money)",
        r"what do (?:they|people) pay with in {p}",
    ),
    "continent": (
        rf"(?:in |on )?{_WH} continent is {{p}}(?: in| on| part of| located in)?",
        rf"{_WH} continent does {{p}} (?:belong to|lie in|lie on)",
        r"(?:the )?continent of {p}",
        r"{p}'s continent",
        r"where(?:abouts)?(?: in the world)? is {p}(?: located| on the map)?",
    ),
    "languages": (
        (
            rf"{_WH} (?:official )?(?:languages?|tongue) (?:do|does|are|is) (?:they|people|you|the people"
            rf"|we)? ?(?:speak|spoken|talk"
            r"|used?) in {p}"
        ),
        rf"{_WH} (?:official )?languages? (?:does|do) {{p}} (?:speak|have|use)",
        r"(?:the )?(?:official |main |national )?languages? (?:of|in|spoken in) {p}",
        r"{p}'s? (?:official |main )?languages?",
        r"what do (?:they|people) speak in {p}",
    ),
    "area": (
        r"how (?:big|large) is {p}",
        r"(?:the )?(?:land |total |surface )?(?:area|size) of {p}",
        r"{p}'s? (?:area|size)",
        r"how many square (?:kilometers|kilometres|km|miles) (?:is|are|does) (?:there in )?{p}(?: have)?",
    ),
    "neighbours": (
        rf"(?:{_WH} countr(?:y|ies)|what|who)(?: do| does| is| are)? ?borders?(?: on| with)? {{p}}",
        r"(?:the )?neighbou?r(?:s|ing countries)?(?: countries)? (?:of|to) {p}",
        r"{p}'s? neighbou?rs?(?: countries)?",
        rf"(?:{_WH} countries|who|what) does {{p}} (?:border|share a border with)(?: on)?",
        (
            rf"{_WH} countries(?: are| lie)?(?: next to| around| surround| neighbou?r| share a border with"
            rf"| bordering) {{p}}"
        ),
        r"(?:the )?countries (?:bordering|that border|around|next to) {p}",
    ),
    "country": (
        rf"(?:of )?{_WH}(?: country| nation)? is {{p}} the capital(?: city)?(?: of)?",
        r"{p} is the capital(?: city)? of (?:what|which)(?: country)?",
        (
            rf"{_WH} (?:country|nation) has (?:the capital(?: city)? )?{{p}}(?: as (?:its|the) capital"
            rf"(?: city)?)?"
        ),
        rf"{_WH} country's capital is {{p}}",
        r"(?:the )?country (?:with|whose capital is)(?: the capital)? {p}",
    ),
}
_COMPILED = tuple(
    (what, re.compile(pattern.replace("{{", "{").replace("}}", "}").replace("{p}", _P)))
    for what, patterns in _ASKED.items()
    for pattern in patterns
)
# Questions that are asked of other things as well, so the country must be named exactly.
_LOOSE = {"continent", "area", "neighbours"}

_IT = r"(?:its|it's|their|the|that country's|his|it is|there)"
_ABOUT_IT: dict[str, str] = {
    "capital": rf"(?:{_IT} )?(?:capital|capitol)(?: city)?(?: there| of (?:it|that country|that))?",
    "population": (
        rf"(?:{_IT} )?population(?: there| of (?:it|that country|that))?"
        r"|how (?:many|much) (?:people|inhabitants|citizens)(?: are| live| are living| does it have"
        r"| do they have)?"
        r"(?: there| in (?:it|that country))?(?: live| living)?|how (?:big|large) is (?:its|the) population"
    ),
    "currency": (
        rf"(?:{_IT} )?(?:currency|money)(?: there| of (?:it|that country))?"
        r"|(?:what|which) (?:currency|money)(?: do| does| is)?(?: they| people| it)?(?: use| have"
        r"| used)?(?: there| in it)?"
        r"|what do (?:they|people) pay with(?: there)?"
    ),
    "continent": (
        rf"(?:(?:what|which) )?(?:{_IT} )?continent(?: is (?:it|that)(?: in| on| part of)?)?|where is (?:it"
        rf"|that)"
    ),
    "languages": (
        rf"(?:{_IT} )?(?:official |main )?languages?(?: there)?"
        r"|(?:what|which) languages?(?: do| does| is| are)?(?: they| people)?(?: speak| spoken)?"
        r"(?: there| in it)?"
        r"|what do (?:they|people) speak(?: there)?"
    ),
    "area": rf"(?:{_IT} )?(?:land )?(?:area|size)|how (?:big|large) is (?:it|that|that country|the country)",
    "neighbours": (
        rf"(?:{_IT} )?(?:neighbou?rs?|neighbou?ring countries|borders)"
        r"|(?:what|which|who)(?: countries)?(?: does it| do they)? border(?:s)?(?: on)?(?: it)?"
    ),
}
_ABOUT_COMPILED = tuple((what, re.compile(pattern)) for what, pattern in _ABOUT_IT.items())


def _country(said: str, *, exact: bool = False) -> Country | None:
    name = re.sub(r"^(?:the country(?: of)?|country) ", "", said.strip(" ,.?"))
    return find_country(name.removesuffix("'s").removesuffix("'"), exact=exact)


def _place(said: str, what: str) -> str | None:
    """The name to look up; None for what is no country, state or capital."""
    said = said.strip(" ,.?")
    if what == "country":
        country = find_capital(said)
        return said if country else None
    country = _country(said, exact=what in _LOOSE)
    if what == "capital" and not (country and _country(said, exact=True)):
        state = find_state(said)
        if state:
            return state[0]
    return country.name if country else None


class Geography:
    """Requests for ``country``."""

    tools: tuple[Tool, ...] = (COUNTRY,)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        if len(text) > MAX_CHARS:
            return None
        core = _LEAD.sub("", text).strip(" ,?.")
        # "do you know what the capital of norway is" has become "what the capital of norway is".
        bare = re.sub(r" (?:is|are|called)$", "", _FRAME.sub("", core))
        for candidate in dict.fromkeys((core, _FRAME.sub("", core), bare)):
            for what, pattern in _COMPILED:
                found = pattern.fullmatch(candidate)
                place = _place(found["place"], what) if found else None
                if place:
                    return Call("country", {"place": place, "what": what})
        return None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if last.tool != "country" or len(text) > MAX_CHARS:
            return None
        rest = correction(text)
        words = rest if rest is not None else text
        marked = rest is not None or bool(_LEAD.match(words))
        whole = self.parse(words, now) if rest is not None else None
        if whole:
            return Call("country", whole.arguments, corrects=True)
        core = _LEAD.sub("", words).strip(" ,?.")
        what, place = str(last.arguments.get("what", "")), str(last.arguments.get("place", ""))
        about = _about_it(core, what, place)
        if about:
            return Call("country", about, corrects=rest is not None)
        said = re.sub(r"^(?:in|of|for|to|with|is it in|about) ", "", core)
        other = _other_place(said, what, marked=marked)
        return Call("country", {"place": other, "what": what}, corrects=rest is not None) if other else None


def _about_it(core: str, what: str, place: str) -> dict[str, str] | None:
    for candidate in dict.fromkeys((core, _FRAME.sub("", core))):
        for asked, pattern in _ABOUT_COMPILED:
            if pattern.fullmatch(candidate):
                country = find_capital(place) if what == "country" else None
                return {"place": country.name if country else place, "what": asked}
    return None


def _other_place(said: str, what: str, *, marked: bool) -> str | None:
    if len(said.split()) > 5 or len(said) < 2:
        return None
    said = said.removesuffix("'s").removesuffix("'")
    if what == "country":
        capital = find_capital(said, exact=not marked)
        return said if capital else None
    country = _country(said, exact=not marked)
    state = find_state(said) if what == "capital" else None
    if state and not _country(said, exact=True):
        return state[0]
    return country.name if country else None


GEOGRAPHY = Geography()

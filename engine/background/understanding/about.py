"""Questions about the assistant itself: "can you hear me", "who are you", "do you record me".

A text has to be such a question as a whole: "who are you going to call" is none. "Can you" at its beginning
is gone in a normal text ("hear me"). What the camera sees is for ``engine.background.understanding.here``.
"""

import re
from datetime import datetime

from engine.background.tools.about import ABOUT, CAMERA
from engine.background.understanding.call import Call

_NOW = r"(?: (?:now|right now|today|at the moment|at all|again|already|too|as well))?"
_WELL = r"(?: (?:okay|ok|well|all right|alright|clearly|properly|fine))?"
_MUCH = r"(?:(?:a (?:little )?bit|a little|much|even) )?"
_BEING = (
    r"(?:just )?(?:an? )?(?:real |actual |living |talking )?(?:robot|bot|chat ?bot|machine|computer"
    r"|(?:computer )?program|ai|artificial intelligence|human(?: being)?|person|alive|real)"
)
_MINE = (
    r"(?:my (?:voice|words|data|speech|audio|sound|conversations?)"
    r"|(?:the|this|our) (?:audio|conversation|camera pictures)"
    r"|what i(?: am|'m)? say(?:ing)?|everything i say)"
)
_OURS = rf"(?:{_MINE}|this|that|it|any of this)"
_COMPUTER = r"(?:this|my|the) (?:computer|machine|laptop|device|pc|house|room)"
_SENDING = r"(?:send(?:ing)?|upload(?:ing)?|shar(?:e|ing))"
_SOMEWHERE = r"(?:to|over|on|with) (?:the |an? )?(?:internet|cloud|server|anyone|anybody)"
_TONGUE = (
    r"(?:german|french|spanish|italian|portuguese|dutch|polish|russian|chinese|mandarin|japanese|korean|arabic"
    r"|hindi|turkish|swedish|danish|norwegian|finnish|greek|english"
    r"|(?:any )?other languages?|another language)"
)

_QUESTIONS: dict[str, tuple[str, ...]] = {
    "hearing": (
        rf"(?:(?:do|can) you )?(?:still |even )?(?:hear|understand) me{_WELL}{_NOW}",
        r"can you hear",
    ),
    "presence": (
        r"are you (?:still |even )?(?:there|here|listening(?: to me)?|awake)(?: now| right now)?",
        r"is this thing (?:still |even )?(?:on|working|listening)",
        r"(?:is )?(?:anybody|anyone|somebody|someone) (?:there|listening)",
    ),
    "identity": (
        r"(?:who|what)(?: exactly)? are you(?: exactly| then)?|(?:who|what) you are",
        r"who am i (?:talking|speaking) (?:to|with)",
        r"(?:tell me (?:something |a bit |a little |more )?about|introduce) yourself",
    ),
    "name": (
        r"what is your name|what your name is|do you have a name|what are you called",
        r"what (?:should|can|do) i call you|is your name microturn|are you (?:called )?microturn",
    ),
    "machine": (
        rf"are(?:n't)? you (?:really |actually )?{_BEING}(?: or {_BEING})?",
        rf"am i (?:talking|speaking) (?:to|with) {_BEING}(?: or {_BEING})?",
    ),
    "abilities": (
        rf"what(?: else| all)? can you (?:do|help with|help me with)(?: for me)?{_NOW}",
        r"what (?:else )?you can (?:do|help with|help me with)(?: for me)?",
        r"what are you (?:able to do|good at)",
        r"what (?:else )?(?:can|could|should) i ask(?: you)?(?: to do)?|what can i do with you",
        r"how (?:can|could) you help(?: me)?|what are your (?:abilities|skills|functions|features|tools)",
    ),
    CAMERA: (
        rf"(?:can|do) you (?:actually |even )?see(?: anything)?{_NOW}|see anything{_NOW}",
        r"(?:what|how) (?:do|can) you see(?: me)? with|(?:how|with what) (?:do|can) you see(?: me)?",
        r"do you have (?:a camera|eyes)|are you (?:watching|looking at|filming) me",
        r"is (?:the|my|your) (?:camera|webcam) (?:on|off|working)",
    ),
    "recording": (
        rf"(?:do|are|will) you (?:always |secretly )?record(?:ing)?(?: me| us| {_OURS})?{_NOW}",
        rf"(?:am|are|is) (?:i|we|{_OURS}) being recorded{_NOW}",
        rf"do you (?:store|save|keep) {_MINE}|(?:is|are) {_MINE} (?:being )?(?:stored|saved|kept|recorded)",
    ),
    "privacy": (
        rf"where (?:does|do|will) {_MINE} go(?: to)?",
        rf"where (?:is|are) {_MINE} (?:sent|going|stored|kept)(?: to)?",
        rf"(?:does|do|will) (?:{_OURS}|anything) (?:ever )?(?:leave|stay on|stay in) {_COMPUTER}",
        rf"(?:do|are|will) you {_SENDING} (?:{_MINE}|anything|this)(?: anywhere| {_SOMEWHERE})?",
        rf"(?:is|are) {_MINE} (?:private|safe|sent anywhere)|is this (?:conversation )?private",
        r"are you (?:online|offline|on the internet|connected to the internet|spying on me)",
        r"do you (?:need|use) (?:the |an )?internet(?: connection)?",
    ),
    "mood": (r"how are you(?: doing)?(?: today)?", r"how do you feel(?: today)?"),
    "maker": (
        r"who (?:has )?(?:made|built|created|wrote|programmed|developed|invented|designed|trained) you",
        r"who (?:is|are) your (?:makers?|creators?|developers?)",
    ),
    "languages": (
        r"(?:what|which|how many)(?: other)? languages? (?:do|can) you (?:speak|know|understand)",
        rf"(?:(?:do|can) you )?(?:only )?(?:speak|understand) {_TONGUE}",
    ),
    "speed": (
        rf"(?:can you )?(?:speak|talk) {_MUCH}(?:slower|faster|more slowly|more quickly)",
        r"you(?:'re| are) (?:speaking|talking) too (?:fast|slow|slowly|quickly)",
        r"how (?:can|do) i (?:make you (?:speak|talk) (?:slower|faster)|change (?:your|the) speed of speech)",
    ),
    "volume": (
        rf"(?:can you )?(?:speak|talk) (?:up(?: a (?:little|bit))?|{_MUCH}(?:louder|quieter|more quietly))",
        r"you(?:'re| are) (?:speaking |talking )?too (?:loud|quiet|loudly|quietly)",
    ),
    "stopping": (
        r"how (?:do|can|could) (?:i|we) (?:stop|interrupt|silence) you(?: talking| from talking)?",
        r"how (?:do|can|could) i (?:make|get) you (?:to )?(?:stop|be quiet|shut up)(?: talking)?",
        r"how (?:do|can) i shut you up|can i (?:interrupt|stop) you",
    ),
}
_COMPILED = tuple((topic, re.compile("|".join(asked))) for topic, asked in _QUESTIONS.items())
# Said around the question and no part of it.
_AROUND = re.compile(r"^(?:(?:and|but|microturn),? )+|,? microturn$|, (?:computer|assistant)$")


class About:
    """Implements ``engine.background.understanding.call.Domain``."""

    tools = (ABOUT,)

    def parse(self, text: str, now: datetime) -> Call | None:
        """As the protocol says; ``now`` plays no part."""
        del now
        asked = _AROUND.sub("", text)
        topic = next((topic for topic, pattern in _COMPILED if pattern.fullmatch(asked)), None)
        return Call(ABOUT.name, {"topic": topic}) if topic else None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        """Nothing goes on from such a question."""
        del text, last, now
        return None

"""The scenes of a presentation, and which one is on. Plain Python; one owner thread."""

from dataclasses import dataclass

from app.privacy import privacy_text
from app.text import one_line
from engine.scenes import Scene, all_scenes


class Deck:
    """Scenes in order. There may be none: then sessions run as the window has them."""

    def __init__(self) -> None:
        self.scenes: tuple[Scene, ...] = ()
        self.troubles: tuple[str, ...] = ()
        """A line for each file that is broken and was left out."""
        self.index = 0
        self.reload()

    @property
    def scene(self) -> Scene:
        """The one that is on."""
        return self.scenes[self.index] if self.scenes else Scene("Free conversation")

    def reload(self) -> None:
        """Read all scenes anew; the one that is on stays on, if it is still there."""
        before = self.scene.file
        self.scenes, self.troubles = all_scenes()
        self.index = min(self.index, max(len(self.scenes) - 1, 0))
        self.choose(before)

    def choose(self, file: object) -> bool:
        """Put on the scene that is stored in ``file``; whether there is one."""
        found = next((k for k, scene in enumerate(self.scenes) if scene.file == file), None)
        if found is not None:
            self.index = found
        return found is not None

    def step(self, by: int) -> bool:
        """Go on or back; whether there was a scene to go to."""
        wanted = min(max(self.index + by, 0), max(len(self.scenes) - 1, 0))
        moved = wanted != self.index
        self.index = wanted
        return moved


@dataclass(frozen=True)
class Stage:
    """What the presenter window says beside captions and figures."""

    scene: str
    place: str
    """Which of how many."""
    to_try: str
    state: str
    """What goes on, in a word or two."""
    input: str
    """Where the sound comes from: an open microphone, a closed one, a recording."""
    visitor: bool
    """Those who speak to it are a recording."""
    unheard: bool
    """Muted, or without a microphone."""
    recording: bool
    recorded: str
    """Whether it is recorded, in words; and the next one, where that differs."""
    about: str
    """That it is an AI, and where words go."""
    notice: str = ""
    """Shown large in place of captions: Starting…"""


@dataclass(frozen=True)
class Moment:
    """What the window knows of the session: ``session`` is the bridge's state, ``title`` the status's."""

    session: str = "off"
    title: str = "Ready"
    progress: str = ""
    error: str = ""
    hears: str = ""
    """What a running session hears: ``open`` or ``closed`` microphone, ``visitor``, or ``over``, a recording
    that has come to its end."""
    muted: bool = False
    recording: bool = False
    record: bool = False
    """The next session is to be recorded."""
    resetting: bool = False
    trouble: str = ""
    """Why the scene could not be started."""
    switching: bool = False
    """The next scene waits for this session's end."""
    silent: bool = True
    """Nobody has said anything yet."""


def stage(
    deck: Deck, moment: Moment, stand_in: bool, server: str = "", sends_pictures: bool = False
) -> Stage:
    """The words on the presenter window.

    ``server``: the language model's where the scene names none; ``sends_pictures``: to any server elsewhere.
    """
    scene = deck.scene
    visitor = _is_visitor(scene, moment, stand_in)
    return Stage(
        scene=one_line(scene.name, 60),
        place=f"{deck.index + 1} of {len(deck.scenes)}" if deck.scenes else "",
        to_try=one_line(scene.to_try, 300),
        state=_state(moment),
        input=f"{_input(visitor, moment)}{_next_input(scene, visitor, moment, stand_in)}",
        visitor=visitor,
        unheard=moment.muted or moment.hears == "closed",
        recording=moment.recording,
        recorded=_recorded(moment),
        about=privacy_text(scene.server or server, sends_pictures),
        notice=_notice(moment),
    )


def _state(moment: Moment) -> str:
    if moment.resetting:
        return "Resetting"
    return "Starting" if moment.switching else one_line(moment.title, 40)


def _is_visitor(scene: Scene, moment: Moment, stand_in: bool) -> bool:
    """What runs is what counts: the choice for the next start may be another one by now."""
    if moment.hears:
        return moment.hears in ("visitor", "over")
    return stand_in and scene.recording is not None


def _input(visitor: bool, moment: Moment) -> str:
    if moment.hears == "over":
        return "The recorded visitor has finished"
    if moment.muted:
        return "Recorded visitor muted" if visitor else "Microphone muted"
    match moment.hears:
        case "visitor":
            return "A recorded visitor speaks"
        case "open":
            return "Microphone on"
        case "closed":
            return "No microphone"
    return "A recorded visitor will speak" if visitor else "Microphone off"


def _next_input(scene: Scene, visitor: bool, moment: Moment, stand_in: bool) -> str:
    """What R has chosen, where that is not what runs."""
    wanted = stand_in and scene.recording is not None
    if not moment.hears or wanted == visitor:
        return ""
    return "; next start: the recorded visitor" if wanted else "; next start: the microphone"


def _recorded(moment: Moment) -> str:
    if moment.recording:
        return "Recording" if moment.record else "Recording; next start: not recorded"
    return "Not recorded; next start: recorded" if moment.record else "Not recorded"


def _notice(moment: Moment) -> str:
    if moment.resetting:
        return "One moment: forgetting everything…"
    if moment.switching:
        return "Starting…"
    match moment.session:
        case "starting":
            doing = one_line(moment.progress, 60)
            return f"Starting… {doing}" if doing else "Starting…"
        case "running":
            return _invitation(moment) if moment.silent else ""
        case "stopping":
            return "Stopping…"
        case "failed":
            return one_line(moment.error, 200) or "It could not start."
    if moment.trouble:
        return one_line(moment.trouble, 200)
    return "Press Return to start." if moment.silent else ""


def _invitation(moment: Moment) -> str:
    """Nobody is asked to talk to what does not hear."""
    if moment.hears in ("visitor", "over"):
        return "A recorded visitor talks to it."
    if moment.muted:
        return "The microphone is muted."
    return "No microphone: plug one in." if moment.hears == "closed" else "Talk to me."

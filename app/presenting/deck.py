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
    muted: bool
    recording: bool
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
    muted: bool = False
    recording: bool = False
    resetting: bool = False
    switching: bool = False
    """The next scene waits for this session's end."""
    silent: bool = True
    """Nobody has said anything yet."""


def stage(deck: Deck, moment: Moment, stand_in: bool, server: str = "") -> Stage:
    """The words on the presenter window. ``server``: the language model's where the scene names none."""
    scene = deck.scene
    return Stage(
        scene=one_line(scene.name, 60),
        place=f"{deck.index + 1} of {len(deck.scenes)}" if deck.scenes else "",
        to_try=one_line(scene.to_try, 300),
        state="Resetting" if moment.resetting else one_line(moment.title, 40),
        input=_input(scene, moment, stand_in),
        muted=moment.muted,
        recording=moment.recording,
        about=privacy_text(scene.server or server),
        notice=_notice(moment),
    )


def _input(scene: Scene, moment: Moment, stand_in: bool) -> str:
    if moment.muted:
        return "Microphone muted"
    if stand_in and scene.recording is not None:
        return "A recorded visitor speaks"
    return "Microphone on" if moment.session == "running" else "Microphone off"


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
            return "Talk to me." if moment.silent else ""
        case "stopping":
            return "Stopping…"
        case "failed":
            return one_line(moment.error, 200) or "It could not start."
    return "Press Return to start." if moment.silent else ""

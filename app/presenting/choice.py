"""How a session of a scene is run. Plain Python."""

from dataclasses import replace
from urllib.parse import urlsplit

from app.live import Choice
from engine.background.settings import BackgroundSettings, from_environment
from engine.engines.registry import has_temperament
from engine.errors import InputError
from engine.scenes import Scene

IN_MEMORY = ":memory:"
"""Notes, lists and alarms of a visitor are forgotten with the session."""


def choice_for(scene: Scene, choice: Choice, stand_in: bool = True, aloud: bool = True) -> Choice:
    """``choice``, as chosen in the window, with what the scene asks for.

    Args:
        stand_in: the scene's recording takes the microphone's place, and its video the camera's.
        aloud: the room hears that recording.

    Raises:
        InputError: sound or video of the scene is not there.
    """
    if stand_in and (why := scene.missing()):
        raise InputError(why)
    made = replace(choice, background=_background(scene, choice.background or from_environment()))
    if scene.temperament is not None and has_temperament(choice.config.engine):
        made = replace(made, config=replace(choice.config, temperament=scene.temperament))
    if stand_in and scene.recording is not None:
        made = replace(made, input_device=str(scene.recording), aloud=aloud)
    if stand_in and scene.video is not None:
        made = replace(made, camera=str(scene.video))
    return made


def _background(scene: Scene, settings: BackgroundSettings) -> BackgroundSettings:
    settings = replace(settings, store=IN_MEMORY, instructions=scene.instructions or settings.instructions)
    if scene.server and _origin(scene.server) != _origin(settings.base_url):
        # A key must not reach a server that it was not given for; the new one's is in the keyring.
        settings = replace(settings, api_key="", model="")
    return replace(settings, base_url=scene.server or settings.base_url, model=scene.model or settings.model)


def _origin(server: str) -> tuple[str, str]:
    """Scheme and host: the same host without encryption is another place for a key."""
    try:
        parts = urlsplit(server)
    except ValueError:
        return "", server
    return parts.scheme, parts.netloc

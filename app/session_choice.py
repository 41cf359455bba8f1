"""From the window's settings to how a session is run. Plain Python."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from app.live import Choice, sessions_dir
from app.settings import Settings
from engine.background.settings import BackgroundSettings, from_environment
from engine.config import EngineConfig, Temperament
from engine.engines.registry import has_temperament

_SAID = {"yes": True, "no": False}


def choice_from(settings: Settings, record_in: Path | None = None) -> Choice:
    """How the next session is to run; ``record_in``: new folder for it, or None."""
    return Choice(
        input_device=settings.input_device or None,
        output_device=settings.output_device or None,
        camera=settings.camera or None,
        record_in=record_in,
        config=config_from(settings),
        background=background_from(settings),
    )


def config_from(settings: Settings) -> EngineConfig:
    """Engine, temperament and voice. An engine of rules has no temperament, whatever the settings say."""
    traits = Temperament(settings.interrupt, settings.backchannel, settings.give_way)
    return EngineConfig(
        engine=settings.engine,
        temperament=traits if has_temperament(settings.engine) else Temperament(),
        voice=settings.voice,
        speed=settings.speed,
    )


def background_from(settings: Settings, environ: Mapping[str, str] | None = None) -> BackgroundSettings:
    """The background's settings: those of the environment, with what was chosen in the window in their place.

    The environment's key stays with the environment's server; that of a server chosen here is looked
    up in the keyring by the background's supervisor.
    """
    base = from_environment(environ)
    if settings.answers == "embedded":
        base = replace(base, base_url="", model="", api_key="", discover=False)
    elif settings.answers == "server" and settings.server_url not in ("", base.base_url):
        base = replace(base, base_url=settings.server_url, model="", api_key="")
    model = "" if settings.answers == "embedded" else settings.server_model
    return replace(
        base,
        model=model or base.model,
        reasoning_effort=settings.reasoning_effort or base.reasoning_effort,
        send_frames=_SAID.get(settings.send_pictures, base.send_frames),
        think_ahead=_SAID.get(settings.think_ahead, base.think_ahead),
        asr_dir=settings.recogniser or base.asr_dir,
        language=settings.language or base.language,
        instructions=settings.instructions or base.instructions,
    )


def recordings_folder(settings: Settings) -> Path:
    """Where sessions are recorded unless the command line said otherwise."""
    return Path(settings.recordings_folder) if settings.recordings_folder else sessions_dir()

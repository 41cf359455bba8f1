"""Plays a voice's sample, or runs a session whose microphone is a file, on real devices.

``python -m tests.engine.play_child sample`` or ``... session SOUND FOLDER SECONDS [aloud]``.
"""

import sys
import time
from pathlib import Path

from engine.audio.live import play
from engine.config import EngineConfig, Temperament
from engine.event_bus import EventBus
from engine.session import open_live
from engine.voices import sample


def main(words: list[str]) -> None:
    if words[0] == "sample":
        play(sample("heart", 1.3))
        return
    config = EngineConfig(background=False, temperament=Temperament(interrupt=-0.5))
    aloud = words[4:] == ["aloud"]
    session = open_live(config, words[1], None, None, Path(words[2]), EventBus(), aloud=aloud)
    session.start()
    while session.state == "starting":
        time.sleep(0.05)
    time.sleep(float(words[3]))
    assert session.stop(5.0)
    if session.error:
        raise session.error


if __name__ == "__main__":
    main(sys.argv[1:])

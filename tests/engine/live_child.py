"""A whole live session on the default devices, in a process of its own, for tests with real devices.

``python -m tests.engine.live_child FOLDER`` records into FOLDER, prints one line
of JSON an event, ``{"state": "running"}`` when it listens, and ends when stdin does.
"""

import json
import sys
import threading
import time
from pathlib import Path

from engine.config import EngineConfig
from engine.event_bus import EventBus
from engine.events import to_json
from engine.session import open_live


def main(folder: Path) -> None:
    began = time.monotonic()
    bus = EventBus()
    events = bus.subscribe()
    session = open_live(EngineConfig(), None, None, None, folder, bus)
    session.start()
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    told = False
    while not ended.is_set() and session.state in ("starting", "running"):
        if session.state == "running" and not told:
            told = True
            print(json.dumps({"state": "running", "after_s": time.monotonic() - began}), flush=True)
        for event in events.drain():
            print(to_json(event), flush=True)
        time.sleep(0.05)
    assert session.stop(5.0)
    if session.error:
        raise session.error


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Plays a recorded session in a process of its own, for tests with a real sound server.

``python -m tests.app.playback_child FOLDER END`` prints its state as a JSON line
every 20 ms. Lines on stdin: ``play T [SPEED]``, ``stop``, ``end``.
"""

import json
import queue
import sys
import threading
import time
from pathlib import Path

from app.inspecting.player import Player, Wish


def run(folder: Path, end_s: float) -> None:
    commands: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            commands.put(line.split())

    threading.Thread(target=listen, daemon=True).start()
    player = Player()
    while True:
        while not commands.empty():
            match commands.get():
                case ["play", t, *speed]:
                    player.play(Wish(folder, float(t), end_s, speed=float(speed[0]) if speed else 1.0))
                case ["stop"]:
                    player.stop()
                case _:
                    player.close()
                    print(json.dumps({"closed": threading.active_count()}), flush=True)
                    return
        state = player.state
        print(json.dumps({"phase": state.phase, "t": state.t, "note": state.note}), flush=True)
        time.sleep(0.02)


if __name__ == "__main__":
    run(Path(sys.argv[1]), float(sys.argv[2]))

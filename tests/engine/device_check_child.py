"""Tries real devices in a process of its own, for tests: prints what a DeviceCheck found as JSON.

``python -m tests.engine.device_check_child microphone|tone|echo [INPUT [OUTPUT]]``
"""

import dataclasses
import json
import sys
import time

from engine.audio.device_check import DeviceCheck, judge_microphone
from engine.audio.echo_check import echo_signal, hearing_tone


def run(what: str, input_name: str | None, output_name: str | None) -> None:
    sound = {"microphone": None, "tone": hearing_tone(), "echo": echo_signal()}[what]
    check = DeviceCheck(input_name, output_name, microphone=what != "tone", sound=sound)
    began = time.monotonic()
    check.start()
    while check.state != "ended" and not (what == "microphone" and check.heard.seconds > 3.0):
        time.sleep(0.02)
    check.stop()
    assert check.join(5.0)
    report = None
    if check.echo is not None:
        report = {**dataclasses.asdict(check.echo), "verdict": check.echo.verdict.name}
    print(
        json.dumps(
            {
                "error": check.error,
                "device": check.device,
                "heard": dataclasses.asdict(check.heard),
                "microphone": judge_microphone(check.heard).name,
                "echo": report,
                "took_s": time.monotonic() - began,
            }
        )
    )


if __name__ == "__main__":
    run(sys.argv[1], *(name or None for name in [*sys.argv[2:], "", ""][:2]))

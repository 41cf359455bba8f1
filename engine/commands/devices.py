"""``microturn devices``: the microphones, loudspeakers and cameras of this computer."""

import argparse
from collections.abc import Iterator
from typing import Any

from engine.errors import MicroturnError

Subparsers = Any  # argparse's own type is private


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments: there are none."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "devices",
        help="list audio and video devices",
        description="Lists the microphones, loudspeakers and cameras of this computer; * marks the defaults.",
    )
    return parser


def run(_arguments: argparse.Namespace) -> int:
    """Print the lists; cameras also where there is no sound."""
    from engine.camera.devices import list_cameras

    problem: MicroturnError | None = None
    try:
        for line in audio_lines():
            print(line)
    except MicroturnError as err:
        problem = err
    cameras = list_cameras()
    print("Cameras" if cameras else "Cameras: none found")
    for camera in cameras:
        print(f"    {camera.name} ({camera.index})")
    if problem is not None:
        raise problem
    return 0


def audio_lines() -> Iterator[str]:
    """One line a device, with the name that other commands and the settings take.

    Raises:
        MicroturnError: the sound system cannot be asked.
    """
    from engine.audio.devices import Kind, list_devices

    found = list_devices()
    kinds: tuple[tuple[Kind, str], ...] = (("input", "Microphones"), ("output", "Loudspeakers"))
    for kind, title in kinds:
        devices = [d for d in found if d.channels(kind) > 0]
        yield title if devices else f"{title}: none found"
        for device in devices:
            mark = "*" if device.is_default(kind) else " "
            about = f"{device.host_api}, {device.channels(kind)} channels, {device.default_rate:.0f} Hz"
            note = ", plays back what a loudspeaker plays" if device.is_monitor and kind == "input" else ""
            identity = "" if device.id in ("", device.name) else f" [{device.id}]"
            yield f"  {mark} {device.name}{identity} ({about}{note})"

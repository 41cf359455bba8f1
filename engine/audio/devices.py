"""Which microphones and loudspeakers there are, and which of them somebody means."""

import os
from dataclasses import dataclass
from typing import Any, Literal

from engine.audio.portaudio import calls, load, rebuild_device_list
from engine.audio.pulse import PulseClient, PulseDevice, PulseError
from engine.errors import InputError, MicroturnError

Kind = Literal["input", "output"]
WORDS: dict[Kind, str] = {"input": "microphone", "output": "loudspeaker"}
PULSE = "PulseAudio"
BRIDGES = ("pulse", "pipewire", "default")  # PortAudio's names for "whatever the sound server says"


@dataclass(frozen=True)
class AudioDevice:
    """``id`` names the device to ``find_device``, and stays the same between runs; ``name`` is for people.

    ``inputs`` and ``outputs`` are channels. ``index`` is PortAudio's; a device
    of the sound server (``pulse`` is its name there) is reached through
    PortAudio's device of that index. ``is_monitor``: no microphone, but what a
    loudspeaker plays.
    """

    name: str
    host_api: str
    inputs: int
    outputs: int
    default_rate: float
    is_default_input: bool
    is_default_output: bool
    id: str = ""
    index: int = -1
    pulse: str = ""
    is_monitor: bool = False

    def channels(self, kind: Kind) -> int:
        return self.inputs if kind == "input" else self.outputs

    def is_default(self, kind: Kind) -> bool:
        return self.is_default_input if kind == "input" else self.is_default_output


def list_devices(refresh: bool = False) -> list[AudioDevice]:
    """Every microphone and loudspeaker, those of the sound server first, defaults marked.

    Args:
        refresh: also look for devices plugged in since PortAudio last looked; without effect while a
            stream is open. Devices of a sound server are always up to date.

    Raises:
        MicroturnError: PortAudio is missing or does not answer.
    """
    if refresh:
        rebuild_device_list()
    plain = _portaudio_devices()
    bridge = next((d for name in BRIDGES for d in plain if d.name == name), None)
    served = _pulse_devices(bridge) if bridge is not None else []
    if not served:
        return plain
    # The sound server's defaults are what those names stand for.
    return [*served, *(d for d in plain if d.name not in BRIDGES)]


def default_device(kind: Kind) -> AudioDevice:
    """The device to use when nobody named one.

    Raises:
        MicroturnError: there is none.
    """
    devices = [d for d in list_devices() if d.channels(kind) > 0]
    wanted = os.environ.get("PULSE_SOURCE" if kind == "input" else "PULSE_SINK", "")
    for device in devices:
        if wanted and device.pulse == wanted:
            return device
    usable = [d for d in devices if not d.is_monitor]
    for device in usable:
        if device.is_default(kind):
            return device
    if usable:
        return usable[0]
    word = WORDS[kind]
    if devices:
        raise MicroturnError(
            f"no {word} was found: the sound server only offers what a loudspeaker plays;"
            f" plug one in, or name {devices[0].id!r} if you really want that"
        )
    raise MicroturnError(
        f"no {word} was found; plug one in and check that the system's sound settings show it"
    )


def find_device(name: str, kind: Kind) -> AudioDevice:
    """The device whose id or name is ``name``, or the only one whose name contains it.

    Raises:
        InputError: none or several do; the line lists what exists.
        MicroturnError: PortAudio is missing.
    """
    devices = [d for d in list_devices() if d.channels(kind) > 0]
    folded = name.casefold()
    tests = (
        lambda d: name == d.id,
        lambda d: name == d.name,
        lambda d: folded in d.name.casefold(),
    )
    for test in tests:
        found = [d for d in devices if test(d)]
        if len(found) == 1:
            return found[0]
        if found:
            break
    else:
        found = []
    known = "; ".join(d.name if d.name == d.id else f"{d.name} ({d.id})" for d in found or devices) or "none"
    count = "more than one" if found else "no"
    raise InputError(f"{count} {WORDS[kind]} is called {name!r}; there are: {known}")


def _portaudio_devices() -> list[AudioDevice]:
    sounddevice, _ = load()
    with calls():
        found: list[dict[str, Any]] = list(sounddevice.query_devices())
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        default_in, default_out = sounddevice.default.device
    twice = {d["name"] for d in found if sum(o["name"] == d["name"] for o in found) > 1}
    return [
        AudioDevice(
            name=d["name"] if d["name"] not in twice else f"{d['name']} ({apis[d['hostapi']]})",
            host_api=apis[d["hostapi"]],
            inputs=d["max_input_channels"],
            outputs=d["max_output_channels"],
            default_rate=d["default_samplerate"],
            is_default_input=d["index"] == default_in,
            is_default_output=d["index"] == default_out,
            id=d["name"] if d["name"] not in twice else f"{d['name']} ({apis[d['hostapi']]})",
            index=d["index"],
        )
        for d in found
    ]


def _pulse_devices(bridge: AudioDevice) -> list[AudioDevice]:
    """The sound server's devices, reached through PortAudio's device ``bridge``; none without a server."""
    try:
        with PulseClient() as client:
            default_source, default_sink = client.defaults()
            sources, sinks = client.sources(), client.sinks()
    except PulseError:
        return []
    names = [d.description for d in (*sources, *sinks)]

    def device(d: PulseDevice, kind: Kind, default: str) -> AudioDevice:
        ambiguous = not d.description or names.count(d.description) > 1
        return AudioDevice(
            name=f"{d.description} ({d.name})" if ambiguous else d.description,
            host_api=PULSE,
            inputs=d.channels if kind == "input" else 0,
            outputs=d.channels if kind == "output" else 0,
            default_rate=float(d.rate),
            is_default_input=kind == "input" and d.name == default and not d.is_monitor,
            is_default_output=kind == "output" and d.name == default,
            id=d.name,
            index=bridge.index,
            pulse=d.name,
            is_monitor=d.is_monitor,
        )

    microphones = sorted((device(d, "input", default_source) for d in sources), key=lambda d: d.is_monitor)
    return [*microphones, *(device(d, "output", default_sink) for d in sinks)]

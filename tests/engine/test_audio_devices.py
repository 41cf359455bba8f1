"""Finding devices by name, the default, and what is said when there is none."""

import sys

import pytest

from engine.audio import devices as devices_module
from engine.audio import live, portaudio
from engine.audio.devices import AudioDevice, default_device, find_device, list_devices
from engine.errors import InputError, MicroturnError


def dev(name: str, ins: int, outs: int, default: bool = False, **more: object) -> AudioDevice:
    fields = {"id": name, **more}
    return AudioDevice(name, "Test", ins, outs, 48_000.0, default and ins > 0, default and outs > 0, **fields)  # type: ignore[arg-type]


DESK = dev("Desk microphone", 1, 0)
HEADSET = dev("Headset", 1, 2, default=True)
ROOM = dev("Room microphone", 2, 0, id="alsa_input.room", pulse="alsa_input.room")
MONITOR = dev("Monitor of Box", 2, 0, id="box.monitor", pulse="box.monitor", is_monitor=True)


@pytest.fixture(autouse=True)
def no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    monkeypatch.delenv("PULSE_SINK", raising=False)


def having(monkeypatch: pytest.MonkeyPatch, *devices: AudioDevice) -> None:
    monkeypatch.setattr(devices_module, "list_devices", lambda: list(devices))


def test_by_id_name_or_part_of_it(monkeypatch):
    having(monkeypatch, DESK, HEADSET, ROOM, MONITOR)
    assert find_device("alsa_input.room", "input") is ROOM
    assert find_device("Desk microphone", "input") is DESK
    assert find_device("headset", "output") is HEADSET
    assert find_device("box.monitor", "input") is MONITOR, "when it is asked for by its very name"


def test_what_is_not_there_or_not_clear_lists_what_is(monkeypatch):
    having(monkeypatch, DESK, HEADSET, ROOM)
    with pytest.raises(
        InputError, match=r"no microphone is called 'Piano'; there are: Desk .*alsa_input\.room"
    ):
        find_device("Piano", "input")
    with pytest.raises(InputError, match=r"more than one microphone .* Desk microphone; Room microphone"):
        find_device("microphone", "input")
    with pytest.raises(InputError, match="no loudspeaker is called 'Desk microphone'; there are: Headset"):
        find_device("Desk microphone", "output")
    having(monkeypatch)
    with pytest.raises(InputError, match="there are: none"):
        find_device("x", "input")


def test_the_default(monkeypatch):
    having(monkeypatch, DESK, HEADSET)
    assert default_device("input") is HEADSET
    having(monkeypatch, DESK)
    assert default_device("input") is DESK


def test_a_monitor_is_never_the_default_unless_it_was_asked_for(monkeypatch):
    having(monkeypatch, MONITOR, DESK)
    assert default_device("input") is DESK
    having(monkeypatch, MONITOR)
    with pytest.raises(MicroturnError, match="only offers what a loudspeaker plays"):
        default_device("input")
    monkeypatch.setenv("PULSE_SOURCE", "box.monitor")
    assert default_device("input") is MONITOR


def test_no_device_at_all(monkeypatch):
    having(monkeypatch)
    for kind in ("input", "output"):
        with pytest.raises(MicroturnError, match="was found; plug one in"):
            default_device(kind)


def test_portaudio_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmixer", None)

    class Missing:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "rtmixer":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "rtmixer")
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    for call in (list_devices, live.open_live_audio):
        with pytest.raises(MicroturnError, match="sudo apt install libportaudio2"):
            call()


def test_listing_works_on_this_computer():
    assert all(d.inputs or d.outputs for d in list_devices(refresh=True))


def test_the_list_is_not_rebuilt_while_a_stream_is_open():
    stream = object()
    portaudio.opened(stream)
    try:
        assert portaudio.rebuild_device_list() is False
    finally:
        portaudio.closed(stream)
    assert portaudio.rebuild_device_list() is True


def test_an_unknown_device_is_an_error_before_anything_is_opened():
    with pytest.raises(InputError, match="no microphone is called"):
        live.open_live_audio("No such microphone")
    with pytest.raises(InputError, match="no loudspeaker is called"):
        live.open_live_audio(None, "No such loudspeaker")

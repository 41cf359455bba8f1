"""The device thread: opening, losing, reopening, muting, hanging. Devices are scripted; threads are real."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from engine.audio import host as host_module
from engine.audio.devices import AudioDevice
from engine.audio.guard import Pin, Verdict, judge
from engine.audio.host import AudioHost, Line
from engine.audio.pulse import PulseDevice
from engine.errors import InputError, MicroturnError
from tests.engine.audio_fakes import device


class ScriptedStream:
    def __init__(self, of: AudioDevice, hang: threading.Event | None = None) -> None:
        self.device, self.lost, self.closed, self.finished = of, False, False, False
        self.hang = hang

    def close(self) -> None:
        if self.hang is not None:
            self.hang.wait(10)
        self.closed = True


class Devices:
    """What opening finds: a name, or an error."""

    def __init__(self) -> None:
        self.present: str | MicroturnError = "Desk"
        self.opened: list[ScriptedStream] = []
        self.tries = 0
        self.hang: threading.Event | None = None
        self.served = ""
        self.latency_s = 0.0

    def resolve(self) -> tuple[AudioDevice, bool]:
        self.tries += 1
        if isinstance(self.present, MicroturnError):
            raise self.present
        return device(self.present, pulse=self.served), False

    def open(self, of: AudioDevice, asked: bool, latency_s: float) -> ScriptedStream:
        self.latency_s = latency_s
        stream = ScriptedStream(of, self.hang)
        self.opened.append(stream)
        return stream


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never happened"
        time.sleep(0.002)


class Rig:
    def __init__(self, slept: Callable[[], float] = lambda: 0.0) -> None:
        self.devices, self.other = Devices(), Devices()
        self.line = Line("input", self.devices.resolve, self.devices.open)
        self.output = Line("output", self.other.resolve, self.other.open)
        self.host = AudioHost((self.line, self.output), slept)

    def settled(self) -> bool:
        return self.line.current is not None and not self.line.current.lost

    def opened(self) -> ScriptedStream:
        wait_for(lambda: self.line.current is not None)
        assert self.line.current is not None
        return self.line.current


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(host_module, "TICK_S", 0.005)
    rig = Rig()
    yield rig
    rig.host.stop()


def test_open_and_stop(rig):
    rig.host.open_now(rig.line)
    stream = rig.opened()
    rig.host.stop()
    assert stream.closed and rig.line.current is None and not rig.host._thread.is_alive()
    assert rig.line.take_notices() == ()


def test_an_error_at_the_start_is_raised_and_not_tried_again(rig):
    rig.devices.present = InputError("no microphone is called 'x'")
    with pytest.raises(InputError, match="called 'x'"):
        rig.host.open_now(rig.line)
    tries = rig.devices.tries
    time.sleep(0.3)
    assert rig.devices.tries == tries
    rig.devices.present = "Desk"
    rig.host.open_now(rig.line)
    assert rig.opened().device.name == "Desk"


def test_a_lost_device_is_closed_named_and_reattached_with_backoff(rig):
    rig.host.open_now(rig.line)
    first = rig.opened()
    rig.devices.present = MicroturnError("unplugged")
    rig.line.lose(first, "the microphone Desk has stopped or gone away")
    rig.line.lose(first, "said once only")
    wait_for(lambda: rig.devices.tries >= 4)
    assert first.closed and rig.line.current is None
    rig.devices.present = "Desk"
    rig.opened()
    assert rig.line.take_notices() == (
        "the microphone Desk has stopped or gone away",
        "the microphone is reattached: Desk",
    )
    assert len(rig.devices.opened) == 2


def test_an_unexpected_error_does_not_end_the_device_thread(rig):
    def broken() -> tuple[AudioDevice, bool]:
        raise RuntimeError("a driver's nonsense")

    resolve, rig.line._resolve = rig.line._resolve, broken
    with pytest.raises(MicroturnError, match="a driver's nonsense"):
        rig.host.open_now(rig.line)
    rig.line._resolve = resolve
    rig.host.open_now(rig.line)
    assert rig.opened().device.name == "Desk"


def test_a_stream_that_portaudio_gave_up_is_replaced(rig):
    rig.host.open_now(rig.line)
    first = rig.opened()
    first.finished = True
    wait_for(lambda: first.closed and rig.line.current is not None)
    assert "has stopped or gone away" in rig.line.take_notices()[0]


def test_a_device_that_cannot_keep_up_gets_more_latency_up_to_a_bound(rig):
    rig.host.open_now(rig.line)
    asked = []
    for _ in range(5):
        stream = rig.opened()
        asked.append(rig.devices.latency_s)
        rig.line.ask_for_latency(stream)
        wait_for(rig.settled)
    assert asked == pytest.approx([0.03, 0.06, 0.12, 0.24, 0.24])
    assert "its latency is now 60 ms" in rig.line.take_notices()[0]


def test_backoff_grows_to_a_second(rig):
    tries: list[float] = []

    def resolve() -> tuple[AudioDevice, bool]:
        tries.append(now)
        raise MicroturnError("unplugged")

    line = Line("input", resolve, rig.devices.open)
    line.wanted = True
    now = 0.0
    while now < 6.0:
        line.tend(now)
        now += 0.05
    gaps = [b - a for a, b in pairwise(tries)]
    assert gaps[:4] == pytest.approx([0.1, 0.2, 0.5, 1.0], abs=0.06)
    assert gaps[4:] == pytest.approx([1.0] * len(gaps[4:]), abs=0.06)


def test_muting_is_no_loss(rig):
    rig.host.open_now(rig.line)
    stream = rig.opened()
    rig.host.want(rig.line, False)
    wait_for(lambda: stream.closed)
    rig.host.want(rig.line, True)
    rig.opened()
    assert rig.line.take_notices() == ()


def test_after_a_sound_server_nothing_unverified_is_opened(rig):
    rig.devices.served = "mic"
    rig.host.open_now(rig.line)
    stream = rig.opened()
    rig.devices.served = ""
    rig.line.lose(stream, "gone")
    wait_for(lambda: rig.devices.tries >= 3)
    assert rig.line.current is None and "sound server" in str(rig.line.error)
    rig.devices.served = "mic"
    rig.opened()


def test_a_hanging_driver_holds_up_neither_the_stop_nor_the_exit(rig):
    rig.devices.hang = threading.Event()
    rig.host.open_now(rig.line)
    rig.line.lose(rig.opened(), "gone")
    began = time.monotonic()
    rig.host.stop()
    assert time.monotonic() - began < 2.0
    assert rig.host._thread.is_alive() and rig.host._thread.daemon
    rig.devices.hang.set()
    rig.host._thread.join(5)


def test_nothing_answers(rig, monkeypatch):
    monkeypatch.setattr(host_module, "START_S", 0.1)
    blocked = threading.Event()

    def resolve() -> tuple[AudioDevice, bool]:
        blocked.wait(10)
        raise MicroturnError("too late")

    rig.line._resolve = resolve
    with pytest.raises(MicroturnError, match="does not answer"):
        rig.host.open_now(rig.line)
    blocked.set()


def test_the_computer_slept(monkeypatch):
    monkeypatch.setattr(host_module, "TICK_S", 0.005)
    slept = [0.0]
    rig = Rig(lambda: slept[0])
    try:
        rig.host.open_now(rig.line)
        first = rig.opened()
        slept[0] = 3600.0
        wait_for(lambda: first.closed and rig.line.current is not None)
        notices = rig.line.take_notices()
        assert notices[0] == "the computer slept for 3600 s" and "reattached" in notices[1]
    finally:
        rig.host.stop()


def test_portaudios_list_is_rebuilt_only_in_silence_and_with_all_streams_closed(rig, monkeypatch):
    rebuilt: list[bool] = []

    def rebuild() -> bool:
        rebuilt.append(all(s.closed for s in (*rig.devices.opened, *rig.other.opened)))
        rig.devices.present = "Desk"
        return True

    monkeypatch.setattr(host_module, "rebuild_device_list", rebuild)
    monkeypatch.setattr(host_module, "REBUILD_S", (0.05,))
    speaking = True
    rig.host.idle = lambda: not speaking
    rig.host.open_now(rig.output)
    rig.host.open_now(rig.line)
    rig.devices.present = MicroturnError("unplugged")
    rig.line.lose(rig.opened(), "gone")
    wait_for(lambda: rig.devices.tries > 3)
    assert not rebuilt, "not while something is being said"
    speaking = False
    wait_for(lambda: bool(rebuilt))
    rig.opened()
    wait_for(lambda: rig.output.current is not None)
    assert rebuilt == [True]
    assert len(rig.other.opened) == 2, "the loudspeaker is back too"


MIC = PulseDevice(1, "mic", "", 48_000, 1, is_monitor=False)
OTHER = PulseDevice(2, "other", "", 48_000, 1, is_monitor=False)
MONITOR = PulseDevice(3, "spk.monitor", "", 48_000, 2, is_monitor=True)


@pytest.mark.parametrize(
    ("pin", "now", "names", "expected"),
    [
        (Pin("mic", asked=True), MIC, {"mic"}, Verdict.SAME),
        (Pin("mic", asked=False), MIC, {"mic"}, Verdict.SAME),
        (Pin("mic", asked=True), MONITOR, {"spk.monitor"}, Verdict.REFUSED),
        (Pin("mic", asked=False), MONITOR, {"spk.monitor"}, Verdict.REFUSED),
        (Pin("mic", asked=False), MONITOR, {"mic", "spk.monitor"}, Verdict.REFUSED),
        (Pin("spk.monitor", asked=True), MONITOR, {"spk.monitor"}, Verdict.SAME),
        (Pin("mic", asked=True), OTHER, {"other"}, Verdict.REFUSED),
        (Pin("mic", asked=True), OTHER, {"mic", "other"}, Verdict.MOVED),
        (Pin("mic", asked=False), OTHER, {"other"}, Verdict.MOVED),
        (Pin("mic", asked=True), None, {"mic"}, Verdict.UNKNOWN),
    ],
)
def test_which_source_may_feed_us(pin, now, names, expected):
    assert judge(pin, now, frozenset(names)) is expected

"""The player on real rings and files; the test stands where PortAudio's callback would."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.inspecting.player import Player, Wish
from app.inspecting.sound import RecordedSound
from engine.audio.devices import AudioDevice
from engine.audio.host import AudioHost, Line
from engine.audio.portaudio import load
from engine.audio.rings import PlaybackRing
from engine.errors import InputError, MicroturnError

SECONDS = 4.0
YOU_HZ, ASSISTANT_HZ = 500.0, 1_300.0
RATE = 48_000.0


def tone(hz: float, rate: int, seconds: float = SECONDS) -> np.ndarray:
    """Louder and louder, so that a level tells the time."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.1 + 0.1 * t) * np.sin(2 * np.pi * hz * t)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "input.flac", tone(YOU_HZ, 16_000), 16_000, "PCM_16")
    soundfile.write(tmp_path / "output.wav", tone(ASSISTANT_HZ, 24_000), 24_000, "PCM_16")
    return tmp_path


def amplitude(samples: np.ndarray, hz: float, rate: float = RATE) -> float:
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    return float(2 * np.abs(np.mean(samples * turn)))


class Device:
    """A loudspeaker that takes frames at its rate, in a thread, and keeps what it took."""

    def __init__(self, channels: int = 2) -> None:
        self.device = AudioDevice("Desk", "Test", 0, channels, RATE, False, True, id="Desk")
        self.channels, self.rate, self.latency_s = channels, RATE, 0.05
        self.ring = PlaybackRing(load()[1], channels, RATE)
        self.lost = self.closed = False
        self.running = True
        self._taken: list[np.ndarray] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        return False

    @property
    def taken(self) -> np.ndarray:
        return np.concatenate([np.zeros((0, self.channels), np.float32), *self._taken])

    def _run(self) -> None:
        began, done = time.monotonic(), 0
        while not self.closed:
            due = int((time.monotonic() - began) * self.rate) - done
            if due > 0:
                done += due
                if self.running:
                    data = np.frombuffer(self.ring.ring.read(due), np.float32)
                    self._taken.append(data.reshape(-1, self.channels).copy())
            time.sleep(0.004)

    def close(self) -> None:
        self.lost = self.closed = True
        self._thread.join(5)


class Desk:
    """Opens devices, and remembers them."""

    def __init__(self, channels: int = 2) -> None:
        self.channels = channels
        self.devices: list[Device] = []
        self.asked: list[str | None] = []
        self.refuse: MicroturnError | None = None

    def open(self, name: str | None) -> tuple[AudioHost, Line[Any]]:
        self.asked.append(name)

        def opener(device: AudioDevice, asked: bool, latency_s: float) -> Device:
            if self.refuse is not None:
                raise self.refuse
            self.devices.append(Device(self.channels))
            return self.devices[-1]

        made = AudioDevice("Desk", "Test", 0, 2, RATE, False, True, id="Desk")
        line: Line[Any] = Line("output", lambda: (made, False), opener)
        return AudioHost((line,), slept=lambda: 0.0), line


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def player(desk) -> Iterator[Player]:
    made = Player(desk.open)
    yield made
    made.close()
    for device in desk.devices:
        assert device.closed, "the loudspeaker was not given back"


def wait(condition: Callable[[], bool], what: str, limit_s: float = 8.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.005)


def loud(taken: np.ndarray) -> np.ndarray:
    """From the first sound to the last one."""
    where = np.flatnonzero(np.abs(taken).max(axis=1) > 1e-3)
    return taken[where[0] : where[-1] + 1] if len(where) else taken[:0]


def test_each_side_on_its_ear_from_any_point_to_the_end(player, desk, folder):
    player.play(Wish(folder, 2.5, SECONDS))
    wait(lambda: player.state.phase == "ended", "the end")
    assert player.state.t == SECONDS
    heard = loud(desk.devices[0].taken)
    assert len(heard) / RATE == pytest.approx(1.5, abs=0.02)
    assert amplitude(heard[:, 0], YOU_HZ) > 0.3 > 0.01 > amplitude(heard[:, 0], ASSISTANT_HZ)
    assert amplitude(heard[:, 1], ASSISTANT_HZ) > 0.3 > 0.01 > amplitude(heard[:, 1], YOU_HZ)
    begin = heard[: round(0.1 * RATE)]
    assert amplitude(begin[:, 0], YOU_HZ) == pytest.approx(0.1 + 0.1 * 2.55, abs=0.01), "the right place"


def test_both_sides_on_both_ears(player, desk, folder):
    player.play(Wish(folder, 1.0, 1.6, mixed=True))
    wait(lambda: player.state.phase == "ended", "the end")
    heard = loud(desk.devices[0].taken)
    assert np.array_equal(heard[:, 0], heard[:, 1])
    assert amplitude(heard[:, 0], YOU_HZ) > 0.15
    assert amplitude(heard[:, 0], ASSISTANT_HZ) > 0.15


def test_a_device_with_one_channel_gets_both_sides(folder):
    desk = Desk(channels=1)
    player = Player(desk.open)
    player.play(Wish(folder, 1.0, 1.5))
    wait(lambda: player.state.phase == "ended", "the end")
    player.close()
    heard = loud(desk.devices[0].taken)
    assert min(amplitude(heard[:, 0], hz) for hz in (YOU_HZ, ASSISTANT_HZ)) > 0.15


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_faster_and_slower(player, desk, folder, speed):
    player.play(Wish(folder, 1.0, 2.0, speed=speed))
    wait(lambda: player.state.phase == "ended", "the end")
    heard = loud(desk.devices[0].taken)
    assert len(heard) / RATE == pytest.approx(1.0 / speed, abs=0.06)
    assert amplitude(heard[:, 0], YOU_HZ * speed) > 0.15


def test_the_position_is_what_the_device_has_played(player, desk, folder):
    player.play(Wish(folder, 0.0, SECONDS))
    wait(lambda: player.state.t > 0.5, "half a second")
    device = desk.devices[0]
    # What was taken so far, less what the device still holds, is what is heard.
    first = np.flatnonzero(np.abs(device.taken).max(axis=1) > 1e-3)[0]
    for _ in range(20):
        told, taken = player.state.t, len(device.taken)
        assert told == pytest.approx((taken - first) / RATE - device.latency_s, abs=0.1)
        time.sleep(0.01)
    device.running = False
    time.sleep(0.1)
    before = player.state.t
    time.sleep(0.2)
    assert player.state.t == before, "where the device stands still, so does the position"
    device.running = True
    wait(lambda: player.state.t > before + 0.1, "it goes on")


def test_pausing_is_quick_and_without_a_click(player, desk, folder):
    player.play(Wish(folder, 2.0, SECONDS))
    wait(lambda: player.state.t > 2.3, "some sound")
    player.stop()
    stopped = len(desk.devices[0].taken)
    assert player.state.phase == "idle"
    time.sleep(0.4)
    after = desk.devices[0].taken[stopped:]
    assert len(loud(after)) / RATE < 0.2
    assert not after[-round(0.2 * RATE) :].any()
    steps = np.abs(np.diff(loud(desk.devices[0].taken)[:, 0]))
    assert steps.max() < 0.05, "a click"
    assert player.state.t == pytest.approx(2.3, abs=0.1)


def test_seeking_while_it_plays(player, desk, folder):
    player.play(Wish(folder, 0.0, SECONDS))
    wait(lambda: player.state.t > 0.3, "the beginning")
    player.play(Wish(folder, 3.0, SECONDS))
    assert player.state.t == 3.0, "at once"
    assert player.state.phase == "playing"
    time.sleep(0.4)
    recent = desk.devices[0].taken[-round(0.1 * RATE) :]
    assert amplitude(recent[:, 0], YOU_HZ) == pytest.approx(0.1 + 0.1 * 3.3, abs=0.03)
    assert len(desk.devices) == 1, "the loudspeaker stays open"
    wait(lambda: player.state.phase == "ended", "the end")


def test_a_loudspeaker_that_goes_away_and_comes_back(player, desk, folder):
    player.play(Wish(folder, 0.0, SECONDS))
    wait(lambda: player.state.t > 0.8, "the beginning")
    desk.devices[0].lost = True
    wait(lambda: len(desk.devices) == 2 and player.state.phase == "playing", "another one")
    t = player.state.t
    assert t == pytest.approx(0.9, abs=0.3), "it goes on from where it was"
    wait(lambda: player.state.phase == "ended", "the end")


def test_no_loudspeaker_is_told(player, desk, folder):
    desk.refuse = MicroturnError("no loudspeaker was found; plug one in")
    player.play(Wish(folder, 1.0, SECONDS))
    assert player.state.phase == "opening"
    wait(lambda: player.state.phase == "failed", "the failure")
    assert player.state.note == "no loudspeaker was found; plug one in"
    assert player.state.t == 1.0
    desk.refuse = None
    player.play(Wish(folder, 1.0, 1.3))
    wait(lambda: player.state.phase == "ended", "it plays now")


def test_another_loudspeaker_may_be_chosen(player, desk, folder):
    player.play(Wish(folder, 1.0, 1.2))
    wait(lambda: player.state.phase == "ended", "the end")
    player.play(Wish(folder, 1.0, 1.2, device="Headphones"))
    wait(lambda: len(desk.devices) == 2 and player.state.phase == "ended", "the other one")
    assert desk.asked == [None, "Headphones"]


def test_the_loudspeaker_is_given_back_when_it_is_quiet(player, desk, folder, monkeypatch):
    monkeypatch.setattr("app.inspecting.player.RELEASE_S", 0.2)
    player.play(Wish(folder, 1.0, 1.2))
    wait(lambda: player.state.phase == "ended", "the end")
    wait(lambda: desk.devices[0].closed, "it is given back", limit_s=3)


def test_missing_and_cut_off_files(player, desk, folder):
    (folder / "input.flac").unlink()
    output = folder / "output.wav"
    output.write_bytes(output.read_bytes()[: 2 * 24_000 * 2])
    player.play(Wish(folder, 1.0, SECONDS))
    wait(lambda: player.state.phase == "playing", "it plays")
    assert player.state.note == "input.flac is missing: your side is silent"
    wait(lambda: player.state.phase == "ended", "the end is the timeline's")
    assert len(loud(desk.devices[0].taken)) / RATE == pytest.approx(1.0, abs=0.05)
    output.unlink()
    player.play(Wish(folder, 1.0, SECONDS))
    wait(lambda: player.state.phase == "failed", "nothing is left")
    assert player.state.note.startswith("this session has no sound to play: input.flac is missing")


def test_sound_is_read_without_gaps(folder):
    whole = RecordedSound(folder, 0.0, 1.0, RATE, 2).read(round(SECONDS * RATE))
    pieces = RecordedSound(folder, 0.0, 1.0, RATE, 2)
    parts = np.concatenate([pieces.read(n) for n in (1, 4_799, 100_000, 20_000)])
    assert np.array_equal(parts, whole[: len(parts)])
    later = RecordedSound(folder, 1.5, 1.0, RATE, 2).read(round(RATE))
    at = round(1.5 * RATE)
    inner = slice(round(0.05 * RATE), round(0.95 * RATE))
    assert np.abs(later - whole[at : at + len(later)])[inner].max() < 2e-3, "sample for sample the same time"
    assert not RecordedSound(folder, SECONDS + 10, 1.0, RATE, 2).read(100).any()
    with pytest.raises(InputError, match="no sound to play"):
        RecordedSound(folder / "nowhere", 0.0, 1.0, RATE, 2)


def test_closing_while_it_plays_leaves_nothing(desk, folder):
    player = Player(desk.open)
    player.play(Wish(folder, 0.0, SECONDS))
    wait(lambda: player.state.t > 0.1, "some sound")
    player.close()
    assert desk.devices[0].closed
    player.play(Wish(folder, 0.0, SECONDS))
    Player(desk.open).close()

"""A sound file in the microphone's place: at the clock's pace, muted like one, and silent when it is over."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from engine.audio.file_source import FileSource
from engine.clock import Clock, SimulatedClock
from engine.config import INPUT_CHUNK, INPUT_HZ, EngineConfig
from engine.errors import InputError
from engine.event_bus import EventBus
from engine.events import SessionHeader
from engine.paths import asset, project_root
from engine.recorder.reader import read_session
from engine.session import open_live
from engine.speech import SpeechController
from engine.startup import Factories
from engine.types import Samples
from tests.fakes import FakeBackground, FakeEngine, FakeSink, ToneVoice
from tests.pulse import RATE, PulseServer, why_not

FACTORIES = Factories(lambda config: FakeEngine(), lambda _: SpeechController(ToneVoice()))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Three micro-turns of sound."""
    path = tmp_path / "said.wav"
    soundfile.write(path, 0.2 * np.ones(3 * INPUT_CHUNK, np.float32), INPUT_HZ)
    return path


def test_silence_follows_the_end_of_the_file_until_it_is_stopped(sound: Path) -> None:
    clock = SimulatedClock()
    source = FileSource(sound, clock, goes_on=True)
    chunks = [source.read() for _ in range(8)]
    assert [chunk is not None and bool(chunk.samples.any()) for chunk in chunks] == [True] * 3 + [False] * 5
    assert clock.now() == pytest.approx(8 * 0.2)
    assert all(chunk is not None and chunk.gap_samples == 0 and not chunk.faults for chunk in chunks)
    source.stop()
    assert source.read() is None


def test_muted_it_is_silent_and_plays_on(sound: Path) -> None:
    source = FileSource(sound, SimulatedClock(), goes_on=True)
    heard = []
    for muted in (False, True, False):
        source.set_muted(muted)
        assert source.muted is muted
        chunk = source.read()
        assert chunk is not None
        heard.append(bool(chunk.samples.any()))
    assert heard == [True, False, True]
    source.stop()


def test_aloud_the_room_is_given_each_piece_ahead_of_the_engine(sound: Path) -> None:
    clock = SimulatedClock()
    source = FileSource(sound, clock, goes_on=True)
    told: list[tuple[float, bool, float]] = []
    source.aloud = lambda samples, t: told.append((t, bool(samples.any()), clock.now()))
    chunks = [source.read() for _ in range(3)]
    assert all(chunk is not None and chunk.samples.any() for chunk in chunks)
    begun, loud, when = zip(*told, strict=True)
    assert begun == pytest.approx((0.0, 0.2, 0.4, 0.6, 0.8))
    assert loud == (True, True, True, False, False)
    # All but the first are given a micro-turn or more before they are to be heard.
    assert all(t - now >= 0.2 - 1e-9 for t, now in zip(begun[1:], when[1:], strict=True))
    assert source.over
    source.set_muted(True)
    assert source.read() is not None
    assert len(told) == 5
    source.stop()


def test_aloud_a_file_that_ends_ends(sound: Path) -> None:
    source = FileSource(sound, SimulatedClock())
    source.aloud = lambda samples, t: None
    assert sum(1 for _ in iter(source.read, None)) == 3
    source.stop()


def test_a_file_stands_in_for_the_microphone_of_a_live_session(sound: Path, monkeypatch) -> None:
    asked: list[tuple[str | None, bool]] = []

    def loudspeaker(name: str | None, clock: Clock, beside: bool) -> FakeSink:
        asked.append((name, beside))
        return FakeSink()

    monkeypatch.setattr("engine.audio.live.open_loudspeaker", loudspeaker)
    bus = EventBus()
    events = bus.subscribe()
    session = open_live(EngineConfig(background=False), str(sound), "spk", None, None, bus, FACTORIES)
    assert asked == [("spk", False)]
    session.start()
    while len(session.stats.compute_ms) < 5:
        assert not session.join(0.05), session.error
    assert session.stop()
    (header,) = [event for event in events.drain() if isinstance(event, SessionHeader)]
    assert header.source == "said.wav"


def test_a_recording_begins_when_the_background_can_answer_and_a_person_at_once(
    sound: Path, monkeypatch
) -> None:
    made: list[FakeBackground] = []

    def client(*_: object, **__: object) -> FakeBackground:
        made.append(FakeBackground())
        return made[-1]

    monkeypatch.setattr("engine.background.client.BackgroundClient", client)
    monkeypatch.setattr("engine.audio.live.open_loudspeaker", lambda *_: FakeSink())
    monkeypatch.setattr(
        "engine.audio.live.open_live_audio", lambda *_: (FileSource(sound, SimulatedClock()), FakeSink())
    )
    for device, waits in ((str(sound), True), (None, False)):
        session = open_live(EngineConfig(), device, None, None, None, EventBus(), FACTORIES)
        session.start()
        while session.state == "starting":
            session.join(0.05)
        assert made[-1].ready is waits
        assert session.stop()
        assert session.error is None


def test_a_file_that_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader")
    with pytest.raises(InputError, match="no sound file"):
        open_live(EngineConfig(), str(tmp_path / "letter.txt"), None, None, None, EventBus())


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=f"no PulseAudio: {why_not()}")
def test_through_a_real_loudspeaker(tmp_path: Path) -> None:
    """The demo's first question comes from its file; a voice's sample is heard from the device."""

    def child(*words: str) -> None:
        command = [sys.executable, "-m", "tests.engine.play_child", *words]
        subprocess.run(command, cwd=project_root(), env=server.env, check=True, timeout=100)

    samples, rate = soundfile.read(asset("demo/demo.flac"), stop=8 * 16_000)
    soundfile.write(tmp_path / "question.flac", samples, rate)
    with PulseServer() as server:
        with server.recording("spk.monitor") as heard:
            child("sample")
            said = heard.samples
        assert 1.2 * RATE < np.count_nonzero(np.abs(said) > 0.002) < 3 * RATE
        child("session", str(tmp_path / "question.flac"), str(tmp_path / "session"), "12")
    session = read_session(tmp_path / "session")
    assert session.header.source == "question.flac"
    assert session.header.options == {"temperament": {"interrupt": -0.5}}
    assert len(session.turns) > 50  # it goes on after the file's 40 micro-turns
    recorded, _ = soundfile.read(tmp_path / "session" / "input.flac")
    assert np.abs(recorded[: len(samples)] - samples).max() < 1e-3
    assert not recorded[len(samples) :].any()
    assert any(turn.decision == "speak" and turn.heard_ms > 0 for turn in session.turns)


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=f"no PulseAudio: {why_not()}")
def test_the_room_hears_the_file_in_time_and_the_record_does_not(tmp_path: Path) -> None:
    """Bursts of noise in the file come out of the loudspeaker as far apart as they are, and are no speech."""
    noise = 0.2 * np.random.default_rng(3).standard_normal(INPUT_HZ // 2).astype(np.float32)
    bursts = np.zeros(8 * INPUT_HZ, np.float32)
    begins = (1.0, 3.3, 6.1)
    for begin in begins:
        at = round(begin * INPUT_HZ)
        bursts[at : at + len(noise)] += noise
    soundfile.write(tmp_path / "bursts.flac", bursts, INPUT_HZ)
    with PulseServer() as server, server.recording("spk.monitor") as heard:
        command = [sys.executable, "-m", "tests.engine.play_child", "session", str(tmp_path / "bursts.flac")]
        command += [str(tmp_path / "session"), "8", "aloud"]
        subprocess.run(command, cwd=project_root(), env=server.env, check=True, timeout=100)
        room = soxr.resample(heard.samples, RATE, INPUT_HZ)
    matches = likeness(room, noise)
    found = []
    for _ in begins:
        found.append(int(np.argmax(matches)))
        assert matches[found[-1]] > 0.5
        matches[max(found[-1] - INPUT_HZ, 0) : found[-1] + INPUT_HZ] = 0.0
    apart = np.diff(sorted(found)) / INPUT_HZ
    assert np.abs(apart - np.diff(begins)).max() < 0.06
    output, rate = soundfile.read(tmp_path / "session" / "output.wav", dtype="float32")
    assert likeness(soxr.resample(output, rate, INPUT_HZ), noise).max() < 0.1


def likeness(sound: Samples, wanted: Samples) -> Samples:
    """How much of ``wanted`` begins at each sample of ``sound``; 1 is all of it."""
    size = len(sound) + len(wanted)
    both = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    return (both[: len(sound)] / np.sum(wanted**2)).astype(np.float32)

"""Sound files nobody should have made: each gives samples and a fault, or one line saying what is wrong."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.audio.file_source import FileSource, _Decoder
from engine.clock import SimulatedClock
from engine.config import INPUT_CHUNK, INPUT_HZ
from engine.errors import InputError


def tone(rate: int, seconds: float, hz: float = 440.0, channels: int = 1) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def read_all(path: Path | str) -> tuple[np.ndarray, list[tuple[int, str]]]:
    source = FileSource(path, SimulatedClock())
    chunks: list[np.ndarray] = []
    faults: list[tuple[int, str]] = []
    while (chunk := source.read()) is not None:
        assert chunk.samples.shape == (INPUT_CHUNK,) and chunk.samples.dtype == np.float32
        faults += [(len(chunks), text) for text in chunk.faults]
        chunks.append(chunk.samples)
    source.stop()
    return np.concatenate(chunks), faults


def error_line(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        FileSource(path, SimulatedClock())
    line = str(caught.value)
    assert "\n" not in line and len(line) > 20
    return line


@pytest.mark.parametrize("rate", [2_000, 8_000, 11_025, 22_050, 44_100, 48_000, 192_000, 384_000])
def test_any_rate_comes_out_as_the_same_tone_at_16_khz(tmp_path, rate):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(rate, 1.5, hz=200.0), rate)
    samples, faults = read_all(path)
    assert faults == []
    assert len(samples) == 8 * INPUT_CHUNK  # 1.5 s, rounded up
    assert not samples[round(1.5 * INPUT_HZ) + 1 :].any()
    expected = tone(INPUT_HZ, 1.5, hz=200.0)[:, 0]
    inner = slice(2_000, 22_000)
    assert np.abs(samples[inner] - expected[inner]).max() < 0.005, "neither delayed nor scaled"


def test_eight_channels_are_averaged(tmp_path):
    path = tmp_path / "eight.wav"
    wave = tone(INPUT_HZ, 0.4, channels=8)
    wave[:, 3:] = 0.0
    soundfile.write(path, wave, INPUT_HZ)
    samples, faults = read_all(path)
    assert faults == []
    assert np.abs(samples).max() == pytest.approx(0.3 * 3 / 8, rel=0.01)


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_24"),
        ("a.flac", "PCM_24"),
        ("a.wav", "PCM_U8"),
        ("a.aiff", "PCM_16"),
        ("a.wav", "DOUBLE"),
        ("a.au", "ULAW"),
        ("a.mp3", None),
        ("a.ogg", "VORBIS"),
    ],
)
def test_formats_and_depths(tmp_path, name, subtype):
    path = tmp_path / name
    soundfile.write(path, tone(INPUT_HZ, 1.0), INPUT_HZ, subtype=subtype)
    samples, faults = read_all(path)
    assert faults == []
    assert float(np.sqrt(np.mean(samples[3_000:13_000] ** 2))) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


def test_a_long_file_is_read_in_blocks(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(48_000, 20.0), 48_000)
    source = FileSource(path, SimulatedClock())
    assert source.read() is not None
    assert isinstance(source._input, _Decoder)
    assert source._input._file.tell() < 48_000, "only the first block or two have been decoded"
    source.stop()


def test_nan_and_infinite_samples_become_silence_and_a_fault_on_their_chunk(tmp_path):
    path = tmp_path / "nan.wav"
    wave = tone(INPUT_HZ, 1.0)[:, 0]
    wave[7_000:7_005] = np.nan
    wave[7_010] = np.inf
    wave[7_011] = 1e38
    soundfile.write(path, wave, INPUT_HZ, subtype="FLOAT")
    samples, faults = read_all(path)
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1.0
    assert not samples[7_000:7_005].any() and samples[7_020:7_050].any()
    assert [i for i, _ in faults] == [2]
    assert "7 samples" in faults[0][1]


def test_too_loud_samples_are_clipped(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, tone(INPUT_HZ, 0.4)[:, 0] * 10, INPUT_HZ, subtype="FLOAT")
    samples, _ = read_all(path)
    assert np.abs(samples).max() == 1.0


@pytest.mark.parametrize("name", ["cut.wav", "cut.flac", "cut.aiff", "cut.mp3"])
def test_a_truncated_file_plays_as_far_as_it_is_whole_and_says_so(tmp_path, name):
    whole = tmp_path / f"whole{Path(name).suffix}"
    soundfile.write(whole, tone(44_100, 3.0), 44_100)
    data = whole.read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) * 6 // 10])
    samples, faults = read_all(path)
    assert len(faults) == 1 and "cut off" in faults[0][1]
    assert faults[0][0] == len(samples) // INPUT_CHUNK - 1
    assert 1.2 * INPUT_HZ < len(samples) < 2.2 * INPUT_HZ
    first_second = tone(INPUT_HZ, 1.0)[2_000:15_000, 0]
    level = float(np.sqrt(np.mean(samples[2_000:15_000] ** 2)))
    assert level == pytest.approx(float(np.sqrt(np.mean(first_second**2))), rel=0.05)


def test_a_whole_file_whose_length_the_header_does_not_know(tmp_path):
    path = tmp_path / "stream.flac"
    soundfile.write(path, tone(INPUT_HZ, 1.0), INPUT_HZ)
    data = bytearray(path.read_bytes())
    at = 4 + 4 + 13  # marker, block header, then the low 36 bits of 18 bytes are the length
    data[at] &= 0xF0
    data[at + 1 : at + 5] = bytes(4)
    path.write_bytes(data)
    source = FileSource(path, SimulatedClock())
    assert source.duration_s is None and source.chunks is None
    samples, faults = read_all(path)
    assert faults == [] and len(samples) == 5 * INPUT_CHUNK


def test_missing(tmp_path):
    assert "does not exist" in error_line(tmp_path / "none.wav")


def test_empty(tmp_path):
    path = tmp_path / "empty.wav"
    path.write_bytes(b"")
    assert "is empty" in error_line(path)


@pytest.mark.parametrize("name", ["zero.wav", "zero.aiff"])
def test_no_samples(tmp_path, name):
    path = tmp_path / name
    soundfile.write(path, np.zeros(0, np.float32), INPUT_HZ)
    assert "no samples" in error_line(path)


@pytest.mark.parametrize("name", ["text.wav", "text.flac", "text.raw", "text"])
def test_text_is_no_sound(tmp_path, name):
    path = tmp_path / name
    path.write_text("This is no sound at all.\n" * 50)
    assert "no sound file" in error_line(path)


def test_a_folder(tmp_path):
    assert "is a folder" in error_line(tmp_path)


def test_a_device_file():
    assert "not a regular file" in error_line("/dev/null")


def test_a_header_with_an_absurd_rate(tmp_path):
    path = tmp_path / "rate.wav"
    soundfile.write(path, tone(INPUT_HZ, 0.1), INPUT_HZ)
    data = bytearray(path.read_bytes())
    data[24:28] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    assert "samples a second" in error_line(path)


@pytest.mark.parametrize("seconds", ["", "x", "-1", "0", "nan", "inf", "1e9"])
def test_bad_silence(seconds):
    assert "silence:10" in error_line(f"silence:{seconds}")


def test_silence():
    samples, faults = read_all("silence:0.5")
    assert faults == [] and len(samples) == 3 * INPUT_CHUNK and not samples.any()
    assert FileSource("silence:0.5", SimulatedClock()).chunks == 3


def test_reading_is_paced_by_the_clock_and_stop_ends_it(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(INPUT_HZ, 2.0), INPUT_HZ)
    clock = SimulatedClock()
    source = FileSource(path, clock)
    assert source.duration_s == 2.0 and source.chunks == 10
    source.start()
    times = []
    for _ in range(3):
        assert source.read() is not None
        times.append(clock.now())
    assert times == pytest.approx([0.2, 0.4, 0.6])
    source.stop()
    source.stop()
    assert source.read() is None
    assert clock.now() == pytest.approx(0.6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4_000), st.binary(max_size=64), st.sampled_from(["wav", "flac", "mp3", "au"]))
def test_damage_anywhere_never_crashes(tmp_path, at, junk, kind):
    whole = tmp_path / f"fuzz.{kind}"
    if not whole.exists():
        soundfile.write(whole, tone(INPUT_HZ, 0.5), INPUT_HZ)
    data = bytearray(whole.read_bytes())
    at = at % len(data)
    data[at : at + len(junk)] = junk
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(data)
    try:
        samples, _ = read_all(path)
    except InputError as err:
        assert "\n" not in str(err)
    else:
        assert np.isfinite(samples).all() and np.abs(samples).max() <= 1.0

"""A video file as a camera: frames depend on the time asked for, and nothing else."""

from pathlib import Path

import av
import numpy as np
import pytest

from engine.camera import VideoFileCamera
from engine.camera.picture import from_camera
from engine.clock import MonotonicClock, SimulatedClock
from engine.errors import InputError


def make_video(path: Path, frames: int = 50, rate: int = 25, width: int = 640, height: int = 360) -> Path:
    """Frame k is grey of level 4k, so a picture tells its number."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 2_000_000
        for k in range(frames):
            image = np.full((height, width, 3), 4 * k % 256, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def levels(camera: VideoFileCamera, times: list[float]) -> list[float | None]:
    camera.start()
    try:
        frames = [camera.newest(t) for t in times]
    finally:
        camera.stop()
    return [None if f is None else float(f.image.mean()) for f in frames]


def test_each_micro_turn_gets_the_last_frame_before_its_end(tmp_path):
    camera = VideoFileCamera(make_video(tmp_path / "v.mp4"), SimulatedClock())
    camera.start()
    numbers, times = [], []
    for i in range(12):
        frame = camera.newest(0.2 * (i + 1))
        if frame is not None:
            assert frame.image.shape == (180, 320, 3) and frame.image.dtype == np.uint8
            assert abs(frame.image.mean() - 4 * frame.number) < 4
            numbers.append(frame.number)
            times.append(frame.t)
            preview = camera.ring.newest()
            assert preview is not None and preview.t == frame.t
    camera.stop()
    # Frame 5k is at 0.2k exactly, which is not before it.
    assert numbers == [4, 9, 14, 19, 24, 29, 34, 39, 44, 49]
    assert times == pytest.approx([n / 25 for n in numbers], abs=1e-3)
    assert camera.take_events() == ("started", "ended")
    assert camera.take_events() == ()


def test_the_same_times_give_the_same_frames_however_they_were_asked_for(tmp_path):
    path = make_video(tmp_path / "v.mp4")
    every = levels(VideoFileCamera(path, SimulatedClock()), [0.2, 0.4, 0.6, 0.8, 1.0])
    again = levels(VideoFileCamera(path, SimulatedClock()), [0.2, 0.4, 0.6, 0.8, 1.0])
    few = levels(VideoFileCamera(path, SimulatedClock()), [0.6, 1.0])
    assert every == again and None not in every
    assert few == [every[2], every[4]]


def test_no_frame_is_given_twice(tmp_path):
    path = make_video(tmp_path / "slow.mp4", frames=4, rate=2)
    seen = levels(VideoFileCamera(path, SimulatedClock()), [0.2, 0.4, 0.6, 0.8])
    assert [s is not None for s in seen] == [True, False, True, False]


def test_real_clock(tmp_path):
    clock = MonotonicClock()
    camera = VideoFileCamera(make_video(tmp_path / "v.mp4"), clock)
    camera.start()
    clock.wait_until(0.2)
    frame = camera.newest(0.2)
    camera.stop()
    assert frame is not None and frame.t < 0.2


def test_a_truncated_video_plays_as_far_as_it_is_whole(tmp_path):
    whole = make_video(tmp_path / "whole.mkv", frames=100)
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    camera = VideoFileCamera(path, SimulatedClock())
    seen = levels(camera, [0.2 * (i + 1) for i in range(25)])
    assert 3 < sum(s is not None for s in seen) < 17


def test_stopping_before_starting_and_while_the_decoder_waits(tmp_path):
    path = make_video(tmp_path / "v.mp4")
    VideoFileCamera(path, SimulatedClock()).stop()
    camera = VideoFileCamera(path, SimulatedClock())
    camera.start()
    camera.stop()
    camera.stop()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("text.mp4", b"no video at all\n" * 100, "no video"),
        ("empty.mp4", b"", "no video"),
        ("none.mp4", None, "does not exist"),
    ],
)
def test_not_a_video(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        VideoFileCamera(path, SimulatedClock())
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_video(tmp_path):
    with pytest.raises(InputError):
        VideoFileCamera(tmp_path, SimulatedClock())


def test_sound_without_pictures_is_no_video(tmp_path):
    import soundfile

    path = tmp_path / "sound.wav"
    soundfile.write(path, np.zeros(1_000), 16_000)
    with pytest.raises(InputError, match="no video in it"):
        VideoFileCamera(path, SimulatedClock())


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((480, 640, 3), np.uint8, (240, 320, 3)),
        ((480, 640), np.uint8, (240, 320, 3)),
        ((480, 640, 1), np.uint8, (240, 320, 3)),
        ((480, 640, 4), np.uint8, (240, 320, 3)),
        ((481, 333, 3), np.uint8, (320, 222, 3)),
        ((3, 5, 3), np.uint8, (3, 5, 3)),
        ((1, 4000, 3), np.uint8, (1, 320, 3)),
        ((480, 640), np.uint16, (240, 320, 3)),
    ],
)
def test_any_picture_a_camera_gives_becomes_small_rgb(shape, dtype, expected):
    raw = np.zeros(shape, dtype)
    raw[...] = 200 if dtype == np.uint8 else 200 << 8
    image = from_camera(raw)
    assert image.shape == expected and image.dtype == np.uint8 and image.min() == image.max() == 200


def test_blue_green_red_becomes_red_green_blue():
    raw = np.zeros((4, 4, 4), np.uint8)
    raw[..., 0], raw[..., 1], raw[..., 2], raw[..., 3] = 10, 20, 30, 99
    assert from_camera(raw)[0, 0].tolist() == [30, 20, 10]


@pytest.mark.parametrize(("shape", "dtype"), [((0, 4, 3), np.uint8), ((4, 4, 2), np.uint8), ((4, 4), float)])
def test_what_is_no_picture(shape, dtype):
    with pytest.raises(ValueError, match="a camera gave"):
        from_camera(np.zeros(shape, dtype))

"""Waveforms and pictures of a recorded session: what is drawn at a zoom, what is read, and when."""

import shutil
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.theme import LIGHT
from app.timeline.live_pictures import LivePictures
from app.timeline.media import Media
from app.timeline.pictures import MAX_PICTURES, Pictures, VideoFile, tiles
from app.timeline.timeline_widget import TimelineWidget
from app.timeline.wave import BIN_S, Blocks, Pyramid, WaveFile, extremes, to_int16
from engine.errors import InputError
from tests.engine.recorder_samples import TURNS, user_audio, write_sample

RATE = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """8 s with sound and video."""
    return write_sample(tmp_path_factory.mktemp("media") / "session", video=True)


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    return to_int16(np.random.default_rng(seed).uniform(-0.8, 0.8, round(seconds * RATE)).astype(np.float32))


def filled(samples: np.ndarray, piece_s: float) -> Pyramid:
    made = Pyramid(len(samples) / RATE)
    size = round(RATE * BIN_S)
    for start in range(0, len(samples), round(piece_s / BIN_S) * size):
        made.add(extremes(samples[start : start + round(piece_s / BIN_S) * size], size))
    return made


@settings(max_examples=40, deadline=None)
@example(0.56, 1.0, 0, 0.03)  # 56 bins, although 0.56 / 0.01 is a little more
@given(st.floats(0.05, 20), st.floats(0.3, 400), st.integers(-300, 3000), st.sampled_from([0.03, 0.5, 7.0]))
def test_a_pyramid_tells_the_extremes_of_the_samples(seconds, px_per_s, first_px, piece_s):
    samples = noise(seconds)
    made = filled(samples, piece_s)
    assert made.complete
    least, most, known = made.wave(first_px, px_per_s, 400)
    for x in np.flatnonzero(known)[:: max(int(known.sum()) // 12, 1)]:
        t0, t1 = (first_px + x) / px_per_s, (first_px + x + 1) / px_per_s
        reach = max(BIN_S, 0.5 / px_per_s)  # a pixel's edge is known to a bin, at most half a pixel
        wide = samples[max(round((t0 - reach) * RATE), 0) : round((t1 + reach) * RATE) + 1] / 32_767
        inner = samples[max(round((t0 + reach) * RATE), 0) : max(round((t1 - reach) * RATE), 0)] / 32_767
        assert wide.min() - 1e-6 <= least[x] <= most[x] <= wide.max() + 1e-6
        if len(inner):
            assert least[x] <= inner.min() + 1e-6
            assert most[x] >= inner.max() - 1e-6


def test_what_is_not_read_yet_is_not_known():
    made = Pyramid(10)
    made.add(extremes(noise(4), 160))
    assert not made.complete
    assert made.filled == 400
    known = made.wave(0, 10, 100)[2]
    assert known.tolist() == [True] * 40 + [False] * 60
    made.end()
    assert made.wave(0, 10, 100)[2].all()
    assert made.wave(5, 10, 20)[0].min() < 0 <= made.wave(50, 10, 20)[1].max()


def test_a_loud_moment_of_a_long_recording_is_seen_from_afar():
    samples = np.zeros(600 * RATE, np.int16)
    samples[300 * RATE + 17] = 30_000
    made = filled(samples, 60)
    most = made.wave(0, 1.0, 600)[1]
    assert np.flatnonzero(most).tolist() == [300]
    assert made.gain > 1


def test_a_rooms_noise_is_not_blown_up():
    quiet = (noise(20) * 0.002).astype(np.int16)
    assert filled(quiet, 5).gain == pytest.approx(25)


def test_near_views_draw_the_samples_without_gaps():
    samples = noise(3)
    made = Blocks(RATE, limit=2)
    assert made.missing(0.2, 2.5) == [1, 0]  # no more than are kept
    made.put(1, samples[RATE : 2 * RATE])
    assert made.missing(1.1, 1.9) == []
    least, most, known = made.wave(round(1.5 * 8000), 8000, 400)  # 2 samples a pixel
    assert known.all()
    pairs = samples[24_000:24_800].reshape(400, 2) / 32_767
    assert (least <= pairs.min(axis=1) + 1e-6).all()
    assert (most >= pairs.max(axis=1) - 1e-6).all()
    assert (least[1:] <= most[:-1] + 1e-6).all()
    assert (most[1:] >= least[:-1] - 1e-6).all()
    many = made.wave(round(1.5 * 64_000), 64_000, 400)  # 4 pixels a sample
    assert many[2].all()
    assert not made.wave(0, 8000, 400)[2].any()
    for number in range(5):
        made.put(number, samples[:RATE])
    assert made.missing(3.2, 4.5) == []
    assert made.missing(1.2, 1.5) == [1]


def test_a_file_gives_the_same_in_pieces_and_at_once(folder):
    file = WaveFile(folder / "input.flac")
    assert (file.rate, file.seconds) == (RATE, TURNS / 5)
    parts = []
    while len(part := file.next_piece(0.7)):
        parts.append(part)
    exact = extremes(to_int16(user_audio()), 160)
    assert np.abs(np.concatenate(parts).astype(int) - exact).max() <= 1
    assert np.array_equal(file.block(3), to_int16(user_audio())[3 * RATE : 4 * RATE]) or (
        np.abs(file.block(3).astype(int) - to_int16(user_audio())[3 * RATE : 4 * RATE]).max() <= 1
    )
    assert len(file.block(99)) == 0


def test_a_file_that_is_missing_or_cut_off(folder, tmp_path):
    with pytest.raises(InputError):
        WaveFile(tmp_path / "nothing.flac")
    whole = (folder / "output.wav").read_bytes()
    (tmp_path / "output.wav").write_bytes(whole[: len(whole) // 2 + 1])
    file = WaveFile(tmp_path / "output.wav")
    assert 3.5 < len(file.next_piece()) * BIN_S < 4.5
    assert len(file.next_piece()) == 0


@given(st.floats(0, 7_000), st.floats(0.2, 8_000), st.floats(20, 120))
def test_tiles_cover_the_view_and_leave_room_for_their_picture(start, span, tile_px):
    px_per_s = 1_200 / span
    found = tiles(start, start + span, px_per_s, tile_px)
    assert found[0].t <= start + 1e-3
    assert found[-1].t1 >= start + span - 1e-3
    assert all(abs(a.t1 - b.t) < 1e-6 for a, b in pairwise(found))
    assert min((tile.t1 - tile.t) * px_per_s for tile in found) >= tile_px - 0.01 * px_per_s - 1e-6
    assert len(found) <= 1_200 / tile_px + 2


def test_panning_asks_for_the_same_pictures_again():
    one, other = (tiles(t, t + 20, 60, 70) for t in (100.0, 101.3))
    assert {tile.t for tile in one[1:]} & {tile.t for tile in other} == {
        t.t for t in one if t.t >= other[0].t
    }


def test_pictures_are_bounded():
    kept = Pictures()
    for k in range(MAX_PICTURES + 20):
        kept.put(float(k), np.zeros((2, 2), np.uint32))
    assert kept.get(0.0) is None
    assert kept.get(float(MAX_PICTURES)) is not None
    assert kept.missing(tiles(0, 1, 60, 12)) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_the_picture_of_a_moment_is_the_newest_one(folder):
    video = VideoFile(folder / "video.mp4")

    def brightness(t: float) -> float:
        picture = video.picture(t)
        assert picture is not None
        assert picture.shape == (72, 96)
        return float((picture & 0xFF).mean())

    for i in (30, 3, 4, 5, 39, 0, 38, 17):  # picture i came at 0.2 i + 0.1 and has the grey 6 i
        assert brightness(0.2 * i + 0.15) == pytest.approx(6 * i, abs=4), i
    assert brightness(0.0) < 4
    assert brightness(9.0) == pytest.approx(6 * 39, abs=4)
    assert video.picture(99.0) is None  # the camera had stopped long before
    assert video.picture(-1.0) is None


def test_no_video_is_an_error_in_words(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"video\.mp4"):
        VideoFile(tmp_path / "video.mp4")


def read(media: Media) -> int:
    """Poll until nothing is left to read; returns how often something had come."""
    times, until = 0, time.monotonic() + 20
    while media.busy and time.monotonic() < until:
        times += media.poll()
        time.sleep(0.002)
    assert not media.busy
    return times


def test_a_session_is_read_once_it_is_shown(folder):
    media = Media()
    assert not media.busy
    media.open(folder)
    assert media.has_video
    assert media.wave("input.flac", 0, 50, 100) is None
    media.want(0, 8, 150, 60)
    assert read(media) > 3
    for name in ("input.flac", "output.wav"):
        drawn = media.wave(name, 0, 50, 400)
        assert drawn is not None
        assert drawn[0][2].all()
    assert media.shape == pytest.approx(4 / 3)
    assert [tile.t for tile in media.tiles if media.picture(tile.t) is None] == []
    media.want(3, 3.2, 5000, 60)
    read(media)
    fine = media.wave("input.flac", 15_000, 5000, 1000)
    assert fine is not None
    assert fine[0][2].all()
    media.close()


def test_another_session_takes_the_place_of_the_first(folder, tmp_path):
    media = Media()
    media.open(folder)
    media.poll()
    bare = tmp_path / "bare"
    bare.mkdir()
    soundfile.write(bare / "input.flac", np.zeros(3200), RATE)
    media.open(bare)
    assert not media.has_video
    media.want(0, 8, 150, None)
    read(media)
    assert media.wave("output.wav", 0, 50, 10) is None
    assert media.wave("input.flac", 0, 50, 10) is not None
    media.open(None)
    assert media.wave("input.flac", 0, 50, 10) is None
    assert not media.busy
    media.close()


def test_damaged_files_are_left_out(folder, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "input.flac").write_bytes(b"")
    (broken / "video.mp4").write_bytes(b"x" * 999)
    media = Media()
    media.open(broken)
    media.want(0, 8, 150, 60)
    read(media)
    assert not media.has_video
    assert media.wave("input.flac", 0, 50, 10) is None
    assert media.wave("output.wav", 0, 50, 10) is not None
    media.close()


def test_the_timeline_shows_waveform_and_pictures_as_they_come(folder, qtbot):
    from app.document import recorded_document
    from engine.recorder.reader import read_session

    timeline = TimelineWidget(LIGHT)
    qtbot.addWidget(timeline)
    timeline.resize(900, 420)
    timeline.set_model(recorded_document(read_session(folder)).timeline, follow=False)
    timeline.show()
    before = timeline.grab().toImage()
    assert "camera" not in [lane.name for lane, _, _ in timeline.layout_lanes()]
    timeline.set_folder(folder)
    qtbot.waitUntil(lambda: timeline.grab() is not None and not timeline.reading, timeout=20_000)
    after = timeline.grab().toImage()
    placed = {lane.name: (top, height) for lane, top, height in timeline.layout_lanes()}
    top, height = placed["camera"]
    colours = {after.pixel(x, round(top + height / 2)) for x in range(150, 880, 10)}
    assert len(colours) > 4  # each picture has its own grey
    assert after != before
    timeline.set_folder(None)
    assert "camera" not in [lane.name for lane, _, _ in timeline.layout_lanes()]
    timeline.close_media()


def test_the_live_cameras_newest_pictures_are_kept():
    kept = LivePictures(most=3)
    assert (kept.shape, kept.at(1.0)) == (None, None)
    for k in range(10):
        kept.add(0.2 * k, np.full((240, 320, 3), 10 * k, np.uint8))
    assert kept.shape == 96 / 72
    grey = [None if (p := kept.at(t)) is None else int(p[0, 0] & 0xFF) for t in (0.5, 0.85, 1.3, 3.4, 3.7)]
    assert grey == [None, 40, 60, 80, None]  # every second one; too old ones have gone, the last is stale


def test_a_live_sessions_lane_shows_what_its_camera_gave():
    media, kept = Media(), LivePictures()
    media.open(None)
    media.show_live(kept)
    shown = [media.has_video]
    kept.add(0.1, np.full((48, 64, 3), 200, np.uint8))
    media.show_live(kept)
    shown.append(media.has_video)
    assert media.shape == 64 / 48
    media.want(0.0, 14.0, 50.0, 60.0)
    assert media.tiles
    picture = media.picture(1.2)
    assert picture is not None and picture[0, 0] == 0xFFC8C8C8
    assert media.pictureless(5.0) and not media.pictureless(1.2)
    media.open(None)
    shown.append(media.has_video)
    assert shown == [False, True, False] and media.picture(1.2) is None
    media.close()

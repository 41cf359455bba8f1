"""Waveforms and small pictures of a recorded session, read beside the window; a live one's pictures. No Qt.

``want`` says what is visible, ``poll`` takes what has been read and asks for
the next piece: pictures first, then samples of a near view, then the rest of
the pyramids. One short call is under way at a time. All methods belong to one thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.timeline.live_pictures import LivePictures
from app.timeline.pictures import Picture, Pictures, Tile, VideoFile, tiles
from app.timeline.wave import FINE_PX_PER_S, Blocks, Pyramid, Wave, WaveFile
from app.worker import Worker
from engine.errors import InputError
from engine.recorder.folder import INPUT, OUTPUT, VIDEO

_PICTURES_A_CALL = 4
_BLOCKS_A_CALL = 4
SOUNDS = (INPUT, OUTPUT)


@dataclass
class _Sound:
    file: WaveFile
    pyramid: Pyramid
    blocks: Blocks


class Media:
    """Of one recorded session at a time; of none at first."""

    def __init__(self) -> None:
        self._worker = Worker("timeline-media")
        self._folder: Path | None = None
        self._session = 0
        self._to_open: list[str] = []
        self._sounds: dict[str, _Sound] = {}
        self._video: VideoFile | None = None
        self._pictures = Pictures()
        self._live: LivePictures | None = None
        self._span = (0.0, 0.0, 0.0)
        self._tiles: list[Tile] = []
        self._changed = False
        self.scaled: dict[object, Any] = {}
        """For whoever paints the pictures: made from them, gone with them."""
        self.has_video = False
        """There is a video, of which nothing may have been read yet."""

    def open(self, folder: Path | None) -> None:
        """Show another session's sound and pictures; None shows none."""
        self._folder = folder
        self._session += 1
        self._sounds, self._video, self._pictures, self._tiles = {}, None, Pictures(), []
        self.scaled, self._live = {}, None
        there = [name for name in (*SOUNDS, VIDEO) if folder is not None and (folder / name).is_file()]
        self._to_open = there
        self.has_video = VIDEO in there

    def show_live(self, pictures: LivePictures) -> None:
        """Show what a running session's camera gives, instead of what a folder holds."""
        self._live = pictures
        self.has_video = pictures.shape is not None

    def close(self) -> None:
        """Nothing is read any more; returns at once."""
        self.open(None)
        self._worker.close(0.0)

    def want(self, t0: float, t1: float, px_per_s: float, tile_px: float | None) -> None:
        """``t0 .. t1`` is visible. ``tile_px``: width of a picture; None shows none."""
        self._span = (t0, t1, px_per_s)
        self._tiles = tiles(t0, t1, px_per_s, tile_px) if tile_px and self.has_video else []

    @property
    def busy(self) -> bool:
        """Something is being read, or will be."""
        return self._worker.busy or self._next() is not None

    def poll(self) -> bool:
        """Take what was read; ask for more. Returns whether there is something new to paint."""
        self._changed = False
        self._worker.poll()
        if not self._worker.busy and (job := self._next()) is not None:
            call, then = job
            self._worker.submit(call, partial(self._took, self._session, then))
        return self._changed

    def _took(self, session: int, then: Callable[[Any], None], result: Any, error: Exception | None) -> None:
        if session == self._session:
            then(None if error is not None else result)
            self._changed = True

    def wave(self, name: str, first_px: int, px_per_s: float, width: int) -> tuple[Wave, float] | None:
        """Extremes of each pixel and the gain to draw them with; None as long as nothing is known."""
        sound = self._sounds.get(name)
        if sound is None or not sound.pyramid.filled:
            return None
        found = sound.pyramid.wave(first_px, px_per_s, width)
        if px_per_s > FINE_PX_PER_S:
            least, most, known = sound.blocks.wave(first_px, px_per_s, width)
            for far, near in zip(found[:2], (least, most), strict=True):
                far[known] = near[known]
            found[2][known] = True
        return found, sound.pyramid.gain

    @property
    def tiles(self) -> list[Tile]:
        """Where pictures belong in the visible span."""
        return self._tiles

    def picture(self, t: float) -> Picture | None:
        """What the tile at second ``t`` shows, as far as it is known."""
        return self._live.at(t) if self._live is not None else self._pictures.get(t)

    def pictureless(self, t: float) -> bool:
        """There was no picture at second ``t``: the camera was off."""
        return (self._live is not None or self._pictures.known(t)) and self.picture(t) is None

    @property
    def shape(self) -> float:
        """Width of a picture by its height."""
        if self._video is not None:
            return self._video.size[0] / self._video.size[1]
        return (self._live.shape if self._live is not None else None) or 4 / 3

    def _next(self) -> tuple[Callable[[], Any], Callable[[Any], None]] | None:
        if self._to_open and self._folder is not None:
            name = self._to_open[0]
            path = self._folder / name
            return (partial(VideoFile, path), self._video_opened) if name == VIDEO else (
                partial(_opened, path), partial(self._sound_opened, name)
            )  # fmt: skip
        if self._video is not None and (times := self._pictures.missing(self._tiles)):
            return partial(_read_pictures, self._video, times[:_PICTURES_A_CALL]), self._pictures_read
        t0, t1, px_per_s = self._span
        if px_per_s > FINE_PX_PER_S:
            for sound in self._sounds.values():
                if numbers := sound.blocks.missing(t0, min(t1, sound.file.seconds)):
                    wanted = numbers[:_BLOCKS_A_CALL]
                    return partial(_read_blocks, sound.file, wanted), partial(_blocks_read, sound)
        waiting = [sound for sound in self._sounds.values() if not sound.pyramid.complete]
        if not waiting:
            return None
        sound = min(waiting, key=lambda one: one.pyramid.filled)
        return sound.file.next_piece, partial(_piece_read, sound)

    def _sound_opened(self, name: str, sound: _Sound | None) -> None:
        self._to_open.remove(name)
        if sound is not None:
            self._sounds[name] = sound

    def _video_opened(self, video: VideoFile | None) -> None:
        self._to_open.remove(VIDEO)
        self._video, self.has_video = video, video is not None

    def _pictures_read(self, found: list[tuple[float, Picture | None]] | None) -> None:
        for t, picture in found or ():
            self._pictures.put(t, picture)


def _opened(path: Path) -> _Sound:
    file = WaveFile(path)
    if file.seconds <= 0:
        raise InputError(f"{path.name} is empty")
    return _Sound(file, Pyramid(file.seconds), Blocks(file.rate))


def _read_pictures(video: VideoFile, times: list[float]) -> list[tuple[float, Picture | None]]:
    return [(t, video.picture(t)) for t in times]


def _read_blocks(file: WaveFile, numbers: list[int]) -> list[tuple[int, Any]]:
    return [(number, file.block(number)) for number in numbers]


def _blocks_read(sound: _Sound, found: list[tuple[int, Any]] | None) -> None:
    for number, samples in found or ():
        sound.blocks.put(number, samples)


def _piece_read(sound: _Sound, pairs: Any) -> None:
    if pairs is None or not len(pairs):
        sound.pyramid.end()
    else:
        sound.pyramid.add(pairs)

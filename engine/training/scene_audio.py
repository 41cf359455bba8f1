"""Makes the recordings of the bundled scenes: ``python -m engine.training.scene_audio assets/scenes``.

Each scene for demonstrations (``assets/scenes/*.json``) can be shown without a
visitor: a recording stands in for the microphone. It is made of the bundled
voice (hibari, Apache-2.0) with a longer or shorter vocal tract, so that it is
told from the assistant's, in a quiet room; 16 kHz mono, Opus in Ogg. The scene
with a camera gets a drawn video as well. No real person is in them.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from engine.config import INPUT_HZ
from engine.training.acoustics import coloured_noise, convolve, room_response
from engine.training.bench_audio import OPUS_QUALITY, BenchVoice, speaker
from engine.training.clips import level
from engine.types import Samples

SEED = 11
LONGEST_S = 60
LOW = BenchVoice("low", "scenes", "hibari", "heart", 0.84, 1.12)
HIGH = BenchVoice("high", "scenes", "hibari", "heart", 1.2, 0.92)
VIDEO = "camera.mp4"
_VIDEO_S, _VIDEO_FPS = 20, 10
_WIDTH, _HEIGHT = 320, 240

Line = tuple[float, str]
"""Second at which it begins, and words."""


@dataclass(frozen=True)
class Script:
    """What the stand-in says. After its last word the recording goes on until ``length_s``."""

    voice: BenchVoice
    length_s: float
    lines: tuple[Line, ...]


SCRIPTS = {
    "barge-in": Script(
        LOW,
        27.0,
        (
            (1.0, "What does the word orchestra mean?"),
            (5.8, "Sorry, what is the capital of Norway?"),
            (13.0, "What does the word democracy mean?"),
            (17.6, "Sorry, what is twelve times nine?"),
        ),
    ),
    "backchannel": Script(
        LOW,
        38.0,
        (
            (1.0, "Okay, this is a long one."),
            (3.29, "We took the night train to the mountains,"),
            (5.94, "because the children wanted to sleep in bunks."),
            (9.18, "Of course nobody slept at all."),
            (11.52, "At four in the morning they were counting tunnels."),
            (14.72, "When we arrived there was fresh snow,"),
            (17.0, "and nobody was tired any more."),
            (26.5, "What does the word orchestra mean?"),
            (32.0, "Right."),
        ),
    ),
    "thinking": Script(
        LOW,
        30.0,
        (
            (1.0, "How do bees make honey?"),
            (10.0, "Why is the sky blue?"),
            (21.0, "How is bread made?"),
        ),
    ),
    "tools": Script(
        HIGH,
        42.0,
        (
            (1.0, "What time is it in Tokyo?"),
            (8.0, "What is twenty three times seventeen?"),
            (15.0, "Make a note to water the plants."),
            (22.0, "What are my notes?"),
            (28.5, "Set a timer for five seconds."),
        ),
    ),
    "camera": Script(
        LOW,
        20.0,
        (
            (1.0, "Hello. Can you hear me?"),
            (8.0, "What is the capital of Japan?"),
        ),
    ),
}


def recording(script: Script) -> Samples:
    """The whole of a script, 16 kHz mono."""
    say = speaker(script.voice)
    rng = np.random.default_rng(SEED)
    dry = np.zeros(round(script.length_s * INPUT_HZ), np.float32)
    for start, text in script.lines:
        piece = level(say(text, 1.0, SEED), 0.07)
        begin = round(start * INPUT_HZ)
        dry[begin : begin + len(piece)] += piece
        print(f"  {start:6.2f} – {start + len(piece) / INPUT_HZ:6.2f} s  {text}")
    # The same noise whatever the length: the end of a script changes nothing of its beginning.
    noise = coloured_noise(rng, LONGEST_S * INPUT_HZ, 1.0)[: len(dry)]
    wet = convolve(dry, room_response(rng, 0.15, 0.9)) + 0.0012 * noise
    heard: Samples = np.clip(wet, -1, 1).astype(np.float32)
    return heard


def write_recording(script: Script, file: Path) -> None:
    """As Opus in Ogg."""
    sf.write(file, recording(script), INPUT_HZ, format="OGG", subtype="OPUS", compression_level=OPUS_QUALITY)


def picture(t: float) -> NDArray[np.uint8]:
    """What the drawn camera sees at second ``t``, RGB (240, 320, 3): somebody comes, waves, shows cards."""
    import cv2

    ramp = np.linspace(1.0, 0.75, _HEIGHT)[:, None, None] * np.array([196, 204, 214])
    image = np.broadcast_to(ramp, (_HEIGHT, _WIDTH, 3)).astype(np.uint8).copy()
    cv2.rectangle(image, (20, 30), (110, 120), (150, 190, 230), -1)
    cv2.rectangle(image, (20, 30), (110, 120), (90, 70, 50), 3)
    cv2.rectangle(image, (0, 205), (_WIDTH, _HEIGHT), (120, 95, 70), -1)
    x = round(-60 + 250 * min(t / 2.5, 1.0)) + round(3 * np.sin(1.3 * t))
    skin, shirt = (225, 180, 150), (60, 110, 120)
    cv2.ellipse(image, (x, 235), (62, 75), 0, 0, 360, shirt, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, 115), (30, 40), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, 92), (32, 24), 0, 180, 360, (70, 50, 40), -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(image, (x + 11 * side, 110), 3, (30, 30, 30), -1, cv2.LINE_AA)
    talking = round(3 + 3 * abs(np.sin(9 * t))) if 1.0 < t < 3.2 or 8.0 < t < 9.7 else 2
    cv2.ellipse(image, (x, 134), (9, talking), 0, 0, 360, (150, 60, 60), -1, cv2.LINE_AA)
    swing = 14 * np.sin(7 * t) if 2.5 < t < 6 else 0
    hand = (x + 88 + round(swing), 120 if t > 2.5 else 190)
    cv2.line(image, (x + 48, 200), hand, shirt, 20, cv2.LINE_AA)
    cv2.circle(image, hand, 14, skin, -1, cv2.LINE_AA)
    if t > 10:
        colour = ((200, 60, 50), (60, 150, 80), (60, 90, 200))[int((t - 10) // 3.4) % 3]
        cv2.rectangle(image, (hand[0] - 24, hand[1] - 62), (hand[0] + 24, hand[1] - 4), colour, -1)
    return image


def write_video(file: Path) -> None:
    """H.264 in MP4, 10 pictures a second."""
    import av
    from av.video.stream import VideoStream

    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=_VIDEO_FPS, options={"crf": "28", "preset": "slow"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(_VIDEO_S * _VIDEO_FPS):
            frame = av.VideoFrame.from_ndarray(picture(number / _VIDEO_FPS), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Makes the recordings of the bundled scenes.")
    options.add_argument("folder", type=Path)
    options.add_argument("--only", choices=tuple(SCRIPTS))
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for name, one in SCRIPTS.items():
        if chosen.only in (None, name):
            print(name)
            write_recording(one, chosen.folder / f"{name}.ogg")
    if chosen.only in (None, "camera"):
        write_video(chosen.folder / VIDEO)

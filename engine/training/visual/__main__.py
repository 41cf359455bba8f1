"""Looks at visual scenes: ``python -m engine.training.visual SCENE --out DIR --seed N --seconds S``.

Writes ``video.mp4``, ``truth.jsonl`` (one line a micro-turn, then one an event and a repetition) and
``contact.png``, a sheet of pictures. With ``--speed`` it measures pictures a second instead.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from engine.config import CHUNK_S
from engine.errors import MicroturnError
from engine.recorder.folder import prepare_folder
from engine.training.visual import KINDS, Split, Stage, draw_script

_TILES = (8, 5)


def make(kind: str, seed: int, seconds: float, split: Split) -> Stage:
    """The scene that a seed stands for."""
    rng = np.random.default_rng(seed)
    return Stage(rng, draw_script(rng, kind, seconds, split), split)


def write(stage: Stage, out: Path, fps: int) -> None:
    """Write the scene's files into the folder ``out``. Raises InputError: it cannot be used."""
    prepare_folder(out)
    _video(stage, out / "video.mp4", fps)
    lines = [{"type": "turn", "i": i, **asdict(stage.per_turn(i))} for i in range(stage.turns)]
    lines += [{"type": "event", **asdict(event)} for event in stage.events]
    lines += [{"type": "repetition", **asdict(one)} for one in stage.repetitions]
    (out / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cv2.imwrite(str(out / "contact.png"), cv2.cvtColor(sheet(stage), cv2.COLOR_RGB2BGR))


def _video(stage: Stage, file: Path, fps: int) -> None:
    import av
    from av.video.stream import VideoStream

    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "20"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(round(stage.script.seconds * fps)):
            picture = av.VideoFrame.from_ndarray(stage.render(number / fps), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def sheet(stage: Stage) -> np.ndarray:
    """Pictures at even times with the truth written under them, RGB."""
    columns, rows = _TILES
    canvas = np.full((rows * 136, columns * 164, 3), 245, np.uint8)
    for k in range(columns * rows):
        i = min(stage.turns - 1, k * stage.turns // (columns * rows))
        truth = stage.per_turn(i)
        x, y = k % columns * 164 + 2, k // columns * 136
        canvas[y : y + 120, x : x + 160] = stage.frame(i)
        said = [f"{(i + 1) * CHUNK_S:.1f}"]
        said += [f"{truth.exercise} {truth.count}"] if truth.exercise else []
        said += [*truth.gestures, *truth.things, truth.gaze, "speaks" if truth.speaking else ""]
        said += [] if truth.camera == "good" else [truth.camera]
        said += [] if truth.present else ["absent"]
        words = " ".join(word for word in said if word)
        cv2.putText(canvas, words, (x, y + 131), cv2.FONT_HERSHEY_SIMPLEX, 0.32, (0, 0, 0), 1, cv2.LINE_AA)
    return canvas


def speed(seconds: float = 20.0, scenes: int = 6) -> dict[str, float]:
    """Pictures a second of processor time for each kind of scene, the making of the scene included."""
    out = {}
    for kind in KINDS:
        count, began = 0, time.process_time()
        for seed in range(scenes):
            stage = make(kind, seed, seconds, Split("train"))
            for i in range(stage.turns):
                stage.frame(i)
            count += stage.turns
        out[kind] = count / (time.process_time() - began)
    return out


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(
        prog="python -m engine.training.visual", description="Shows visual scenes."
    )
    options.add_argument("scene", choices=KINDS, nargs="?", default="mixed")
    options.add_argument("--out", type=Path)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--fps", type=int, default=15, choices=range(1, 31), metavar="1..30")
    options.add_argument("--split", default="train", choices=("train", "validation", "test"))
    options.add_argument("--speed", action="store_true", help="measure pictures a second instead")
    given = options.parse_args(arguments)
    cv2.setNumThreads(1)
    if given.speed:
        for kind, rate in speed().items():
            print(f"{kind:<10}{rate:7.0f} pictures a second on one core")
        return 0
    if given.out is None:
        options.error("give the folder to write: --out DIR")
    try:
        stage = make(given.scene, given.seed, given.seconds, Split(given.split))
        write(stage, given.out, given.fps)
    except MicroturnError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_status
    whole = sum(r.counts for r in stage.repetitions)
    print(f"{given.out}: {len(stage.events)} events, {whole} repetitions that count")
    return 0


if __name__ == "__main__":
    sys.exit(main())

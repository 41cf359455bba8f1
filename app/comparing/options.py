"""What a session is run again with, as arguments and as the name of its folder. Plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.engines.registry import has_temperament

TEMPERAMENTS = (
    ("interrupt", "Interrupts more readily"),
    ("backchannel", "Says “mm-hm” more readily"),
    ("give_way", "Gives way more readily"),
)


@dataclass(frozen=True)
class RerunChoice:
    """``biases``: nats added to the decision logits, by name; zeros are left out."""

    engine: str = "micro"
    seed: int = 0
    biases: Mapping[str, float] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        """Further arguments of ``microturn replay``."""
        set_ones = [f"{name}={value:+g}" for name, value in self.biases.items() if value]
        return ("--temperament", ",".join(set_ones)) if set_ones and has_temperament(self.engine) else ()

    @property
    def name(self) -> str:
        """What is added to the name of the session's folder."""
        short = [f"{name}{value:+g}" for name, value in self.biases.items() if value] if self.options else []
        seed = [f"seed{self.seed}"] if self.seed else []
        return "-".join([self.engine, *seed, *short])


def folder_for(session: Path, choice: RerunChoice) -> Path:
    """A folder beside the session that does not exist yet."""
    stem = f"{session.name}_{choice.name}"
    names = (stem if n == 1 else f"{stem}_{n}" for n in range(1, 10_000))
    return next(session.parent / name for name in names if not (session.parent / name).exists())

"""Constants of the micro-turn contract, and the engine's configuration."""

from dataclasses import dataclass

CHUNK_S = 0.2
CHUNK_MS = 200
INPUT_HZ = 16_000
OUTPUT_HZ = 24_000
INPUT_CHUNK = 3_200  # samples of 16 kHz microphone audio in one micro-turn
OUTPUT_CHUNK = 4_800  # samples of 24 kHz assistant audio in one micro-turn
SESSION_VERSION = 1

assert INPUT_CHUNK == round(INPUT_HZ * CHUNK_S)
assert OUTPUT_CHUNK == round(OUTPUT_HZ * CHUNK_S)


@dataclass(frozen=True)
class LateRule:
    """What happens when a micro-turn is computed late; see docs/timing.md.

    A turn that starts late runs at once (no input is skipped) until the lag
    reaches ``skip_lag_s``; then the model is skipped for the oldest turns, each
    marked ``skipped`` with a fault, until the lag is below ``CHUNK_S`` again.
    """

    skip_lag_s: float = 1.0


@dataclass(frozen=True)
class EngineConfig:
    """How one session is run. Immutable; made by the command line or the window."""

    engine: str = "micro"
    seed: int = 0
    background: bool = True
    torch_threads: int = 1
    late: LateRule = LateRule()

"""Temperament: a bias on the model's own scores, and nothing else."""

import numpy as np
import pytest

from engine.config import EngineConfig, Temperament, read_temperament
from engine.decisions import DECISION_INDEX
from engine.engines.registry import ENGINES, check_engine, has_temperament, make_engine
from engine.errors import InputError
from engine.types import MicroTurn, SelfState


def test_it_is_read_as_it_is_typed() -> None:
    assert read_temperament("interrupt=+0.5,backchannel=-1") == Temperament(0.5, -1.0, 0.0)
    assert read_temperament(" give-way = 2 ") == Temperament(give_way=2.0)
    assert read_temperament("") == Temperament()
    for wrong in ("interrupt", "interrupt=x", "yield=1", "interrupt=3.1", "give_way=-inf", "=1"):
        with pytest.raises(InputError) as caught:
            read_temperament(wrong)
        assert "\n" not in str(caught.value)


def test_what_a_recording_says_of_how_it_was_made() -> None:
    assert EngineConfig().options == {}
    made = EngineConfig(temperament=Temperament(0.5), voice="emma", speed=0.9)
    assert made.options == {"temperament": {"interrupt": 0.5}, "voice": "emma", "speed": 0.9}
    with pytest.raises(InputError, match=r"0\.7 to 1\.4"):
        EngineConfig(speed=1.41)


def test_engines_of_rules_have_none() -> None:
    assert [name for name in ENGINES if has_temperament(name)] == ["micro"]
    check_engine("pipeline", Temperament())
    with pytest.raises(InputError, match="has no temperament"):
        check_engine("pipeline", Temperament(give_way=0.1))
    with pytest.raises(InputError, match="has no temperament"):
        make_engine(EngineConfig("pipeline", temperament=Temperament(give_way=0.1)))


def test_the_engine_adds_it_to_the_logits_of_the_trained_model() -> None:
    """The odds of a decision change by exactly e to the bias, at every step, whatever is heard."""
    rng = np.random.default_rng(3)
    sounds = [0.1 * rng.standard_normal(3_200).astype(np.float32) for _ in range(5)]

    def odds(temperament: Temperament) -> list[dict[str, float]]:
        engine = make_engine(EngineConfig(temperament=temperament))
        engine.reset(0)
        steps = [engine.step(MicroTurn(i, sound, SelfState())) for i, sound in enumerate(sounds)]
        return [{name: step.probs[name] / step.probs["listen"] for name in DECISION_INDEX} for step in steps]

    plain, lean = odds(Temperament()), odds(Temperament(interrupt=2.0, backchannel=-1.5, give_way=0.5))
    expected = {"listen": 0.0, "speak": 0.0, "interrupt": 2.0, "backchannel": -1.5, "yield": 0.5}
    for before, after in zip(plain, lean, strict=True):
        assert {name: np.log(after[name] / before[name]) for name in expected} == pytest.approx(
            expected, abs=1e-3
        )

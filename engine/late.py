"""The late-step rule: what happens when micro-turns cannot be computed in time. See docs/timing.md."""

from engine.config import CHUNK_S, LateRule
from engine.decisions import DECISIONS
from engine.types import SelfState, StepOutput


class LateGuard:
    """Says which micro-turns go without the model until the lag is gone."""

    def __init__(self, rule: LateRule) -> None:
        self._rule = rule
        self._skipping = False

    def judge(self, lag_s: float) -> tuple[bool, str]:
        """Whether to skip the model for a micro-turn begun ``lag_s`` late, and what to report, if any."""
        if self._skipping:
            self._skipping = lag_s >= CHUNK_S
            return self._skipping, ""
        if lag_s < self._rule.skip_lag_s:
            return False, ""
        self._skipping = True
        return True, f"the computer is {lag_s:.1f} s behind: the model is skipped until it has caught up"


def held_output(state: SelfState) -> StepOutput:
    """What stands in for a decision that was not taken: go on talking, or go on listening."""
    decision = state.last_decision if state.speaking else "listen"
    return StepOutput(decision, {name: float(name == decision) for name in DECISIONS})

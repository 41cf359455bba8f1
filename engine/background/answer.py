"""One job in the worker: recognise the request, then answer it, telling every step as it happens."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.background.convert import Progress
from engine.background.embedded import EmbeddedModel
from engine.background.failure import JobError
from engine.background.prompt import Cancelled, LanguageModel, Prompt
from engine.background.protocol import MAX_TEXT, Request, audio_samples, clip_text
from engine.background.recognise import Recognised, Recogniser, bundled_model
from engine.background.remote import RemoteModel
from engine.background.settings import BackgroundSettings
from engine.background.spoken import SpokenWords, strip_invisible
from engine.types import Samples

MAX_WORDS = 120
NOTHING = "nothing recognised"

Detail = dict[str, str | int | float | bool]
Emit = Callable[[str, str, Detail], None]
"""Event, text and detail of something that happened to the job."""


class Ears(Protocol):
    def recognise(self, samples: Samples) -> Recognised: ...


class Mind:
    """Recogniser and language model. Either may be a JobError: then the jobs that need it fail with it."""

    def __init__(self, ears: Ears | JobError, model: LanguageModel | JobError) -> None:
        self._ears = ears
        self._model = model

    @property
    def model_name(self) -> str:
        return "none" if isinstance(self._model, JobError) else self._model.name

    @property
    def trouble(self) -> str:
        """What is missing and what to do, empty when all is well."""
        return "; ".join(part.advice for part in (self._ears, self._model) if isinstance(part, JobError))

    def work(self, request: Request, emit: Emit, cancelled: Cancelled) -> None:
        """Do one job; the last event is an answer, failed or cancelled."""
        try:
            asked, detail = self._request(request, emit, cancelled)
            if cancelled():
                emit("cancelled", "", {})
            elif not asked:
                emit("answer", "", {"reason": NOTHING, **detail})
            else:
                self._answer(Prompt(asked, request.context, request.jpeg), emit, cancelled)
        except JobError as failure:
            emit("failed", failure.say, {"advice": failure.advice})

    def _request(self, request: Request, emit: Emit, cancelled: Cancelled) -> tuple[str, Detail]:
        """Typed words and what was recognised; the latter is told as a partial."""
        typed = " ".join(strip_invisible(request.text).split())
        if not request.audio or cancelled():
            return typed, {}
        if isinstance(self._ears, JobError):
            raise self._ears
        began = time.monotonic()
        heard = self._ears.recognise(audio_samples(request.audio))
        detail: Detail = {
            "recognise_s": round(time.monotonic() - began, 3),
            "speech_s": round(heard.speech_s, 2),
            "padded": heard.padded,
        }
        text = clip_text(strip_invisible(heard.text), MAX_TEXT // 2)
        if text and not cancelled():
            emit("partial", text, {"role": "request", **detail})
        return f"{typed} {text}".strip(), detail

    def _answer(self, prompt: Prompt, emit: Emit, cancelled: Cancelled) -> None:
        """Stream the answer in whole words, up to the model's number of sentences."""
        if isinstance(self._model, JobError):
            raise self._model
        began = time.monotonic()
        spoken = SpokenWords()
        said: list[str] = []
        detail: Detail = {}
        pieces = 0

        def say(words: list[str]) -> None:
            if not said:
                detail["first_word_s"] = round(time.monotonic() - began, 3)
            said.extend(words)
            emit("partial", clip_text(" ".join(words), MAX_TEXT), {"role": "answer"})

        for piece in self._model.stream(prompt, cancelled):
            pieces += 1
            words = spoken.feed(piece)
            if words:
                say(words)
            if spoken.sentences >= self._model.max_sentences or len(said) >= MAX_WORDS:
                break
        else:
            last = [] if cancelled() else spoken.finish()
            if last:
                say(last)
        if cancelled():
            emit("cancelled", "", {})
        elif not said:
            raise JobError("I have no answer to that.", f"{self._model.name} answered with nothing")
        else:
            detail.update(pieces=pieces, answer_s=round(time.monotonic() - began, 3), model=self._model.name)
            emit("answer", clip_text(" ".join(said), MAX_TEXT), detail)


def load_mind(settings: BackgroundSettings, progress: Progress) -> Mind:
    """Load and warm up everything, so that the first request is as quick as the others; about 1 s."""
    progress("loading the speech recogniser", -1.0)
    ears: Ears | JobError
    try:
        recogniser = Recogniser(
            Path(settings.asr_dir) if settings.asr_dir else bundled_model(), settings.threads
        )
        recogniser.warm_up()
        ears = recogniser
    except JobError as failure:
        ears = failure
    progress("loading the language model", -1.0)
    model: LanguageModel | JobError
    try:
        if settings.base_url:
            model = RemoteModel(settings)
        else:
            model = EmbeddedModel(Path(settings.cache_dir), settings.threads, settings.max_tokens, progress)
        model.warm_up()
    except JobError as failure:
        model = failure
    return Mind(ears, model)

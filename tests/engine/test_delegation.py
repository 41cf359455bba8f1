"""Work handed to the background as the engine thread sees it: what is said of it, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from engine.conversation import Conversation
from engine.decisions import RELAY
from engine.delegation import FAILED, LATE_S, Delegation
from engine.events import BackgroundEvent, Caption, Event, Fault, Transcript
from engine.handover import HandOver, Line
from engine.speech import SpeechController
from engine.types import Frame, Samples, StepOutput, TextEvent
from tests.fakes import ToneVoice

TOPIC = {"role": "request", "streamed": True, "topic": "the capital of Peru"}
Told = BackgroundEvent | Caption | Transcript


@dataclass
class FakeBackground:
    """Tells what it is given to tell, and takes note of the rest."""

    coming: list[Told] = field(default_factory=list)
    ahead: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    """What is told at each hand-over at once."""
    asked: list[HandOver] = field(default_factory=list)
    cancelled: list[tuple[int, float, str]] = field(default_factory=list)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    broken: bool = False

    def start(self) -> None: ...

    def wait_ready(self, timeout: float) -> bool:
        return True

    def _try(self) -> None:
        if self.broken:
            raise RuntimeError("gone")

    def hear(self, index: int, samples: Samples, t: float, since: float) -> None:
        self._try()
        self.calls.append(("hear", index, t, since))

    def know(self, lines: tuple[Line, ...]) -> None:
        self._try()
        self.calls.append(("know", *(line.text for line in lines)))

    def submit(self, t: float, package: HandOver, frame: Frame | None) -> int:
        self._try()
        self.asked.append(package)
        number = len(self.asked)
        thought = {"thought_ahead": True} if self.ahead else {}
        self.coming.append(BackgroundEvent(number, t, "asked", "", thought))
        self.coming += [BackgroundEvent(number, t, *told) for told in self.ahead]
        return number

    def poll(self, t: float) -> tuple[Told, ...]:
        self._try()
        due = [event for event in self.coming if when(event) < t]
        self.coming = [event for event in self.coming if event not in due]
        return tuple(due)

    def wait_until(self, t: float) -> None:
        self._try()

    def cancel(self, job: int, t: float, reason: str = "") -> None:
        self._try()
        self.cancelled.append((job, t, reason))

    def retry(self, job: int, t: float) -> int | None:
        self._try()
        return None if job > len(self.asked) else self.submit(t, self.asked[job - 1], None)

    def permit(self, job: int, allowed: bool) -> None:
        self._try()
        self.calls.append(("permit", job, allowed))

    def share(self, paths: tuple[str, ...]) -> None:
        self._try()
        self.calls.append(("share", *paths))

    def take_faults(self) -> tuple[str, ...]:
        faults, self.faults = self.faults, []
        return tuple(faults)

    def stop(self) -> None: ...


def when(event: Told) -> float:
    return event.t0 if isinstance(event, Transcript) else event.t


class Scene:
    """A delegation with all around it; the clock is at the end of what was said last."""

    def __init__(self) -> None:
        self.background = FakeBackground()
        self.speech = SpeechController(ToneVoice())
        self.conversation = Conversation()
        self.emitted: list[Event] = []
        self.delegation = Delegation(self.background, self.speech, self.conversation, self.emitted.append)
        self.t = 1.0

    def asks(self, t: float, given_up: tuple[int, ...] = ()) -> int:
        self.delegation.submit(t, HandOver(t - 1.0, t - 0.2, t - 1.0, given_up=given_up), None)
        return len(self.background.asked)

    def comes(
        self, job: int, t: float, event: str, text: str = "", **detail: object
    ) -> tuple[TextEvent, ...]:
        """One event of the background, taken in the micro-turn that it belongs to."""
        self.background.coming.append(BackgroundEvent(job, t, event, text, detail))
        return self.polls(t)

    def answers(self, job: int, t: float, text: str) -> tuple[TextEvent, ...]:
        words = self.comes(job, t, "partial", text, role="answer")
        return (*words, *self.comes(job, t + 0.01, "answer", text))

    def polls(self, t: float) -> tuple[TextEvent, ...]:
        return self.delegation.poll(int(t / 0.2 + 1e-6) + 1)

    def says(self) -> list[str]:
        """All that can be said now, clause by clause."""
        clauses = []
        while clause := self.speech._waiting.take_clause()[1]:
            clauses.append(clause)
        return clauses


@pytest.fixture
def scene() -> Scene:
    return Scene()


def texts(words: tuple[TextEvent, ...]) -> list[str]:
    assert all(each.origin == "background" for each in words)
    return [each.text for each in words]


# Answers


def test_an_answer_is_said_as_it_comes(scene):
    job = scene.asks(1.0)
    assert scene.delegation.open_jobs == 1 and scene.delegation.jobs == (job,)
    assert texts(scene.comes(job, 1.1, "partial", "Paris is the", role="answer")) == ["Paris is the"]
    assert texts(scene.comes(job, 1.2, "partial", "capital.", role="answer")) == ["capital."]
    assert texts(scene.comes(job, 1.3, "answer", "Paris is the capital.")) == []
    assert scene.delegation.open_jobs == 0
    assert scene.says() == ["Paris is the capital."]
    assert [e.event for e in scene.emitted if isinstance(e, BackgroundEvent)] == [
        "asked", "partial", "partial", "answer",
    ]  # fmt: skip


def test_a_short_answer_may_come_whole(scene):
    job = scene.asks(1.0)
    assert texts(scene.comes(job, 1.1, "answer", "Four.")) == ["Four."]
    assert scene.says() == ["Four."]


def test_a_failure_is_said(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "failed", "I cannot do that.")
    job = scene.asks(2.0)
    scene.comes(job, 2.1, "failed")
    assert scene.says() == ["I cannot do that.", FAILED]


def test_an_empty_answer_says_nothing(scene):
    job = scene.asks(1.0)
    assert scene.comes(job, 1.1, "answer", "", reason="nothing recognised") == ()
    assert scene.says() == [] and scene.delegation.open_jobs == 0


def test_what_was_thought_ahead_can_be_said_in_the_same_micro_turn(scene):
    scene.background.ahead = [
        ("partial", "What is the capital of Peru?", TOPIC),
        ("partial", "It is Lima.", {"role": "answer"}),
    ]
    scene.asks(1.0)
    assert scene.speech.state().background_words == 3
    assert texts(scene.polls(1.0)) == ["It is Lima."]  # the model reads it in the next micro-turn
    action = scene.speech.apply(StepOutput("speak", {}, say="Let me see.", delegate=True), 0)
    assert action.say == RELAY
    assert scene.polls(1.2) == ()


@pytest.mark.parametrize("t", [1.0 + LATE_S - 0.1, 1.0 + LATE_S + 0.1])
def test_a_late_answer_says_what_it_is_about(scene, t):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "partial", "What is the capital of Peru?", **TOPIC)
    scene.comes(job, t, "partial", "It is", role="answer")
    scene.comes(job, t + 0.2, "partial", "Lima.", role="answer")
    scene.comes(job, t + 0.4, "answer", "It is Lima.")
    late = t > 1.0 + LATE_S
    assert " ".join(scene.says()) == ("About the capital of Peru: " if late else "") + "It is Lima."


def test_a_late_answer_without_a_topic(scene):
    job = scene.asks(1.0)
    scene.answers(job, 20.0, "It is Lima.")
    assert " ".join(scene.says()) == "About what you asked before: It is Lima."


def test_an_answer_after_something_newer_was_asked_says_what_it_is_about(scene):
    first = scene.asks(1.0)
    scene.comes(first, 1.1, "partial", "What is the capital of Peru?", **TOPIC)
    second = scene.asks(2.0)
    scene.answers(first, 2.5, "It is Lima.")
    scene.answers(second, 2.6, "It is four.")
    assert " ".join(scene.says()) == "About the capital of Peru: It is Lima. It is four."


def test_also_when_the_newer_one_is_answered_already(scene):
    first = scene.asks(1.0)
    scene.comes(first, 1.1, "partial", "What is the capital of Peru?", **TOPIC)
    second = scene.asks(2.0)
    scene.answers(second, 2.5, "It is four.")
    scene.answers(first, 2.6, "It is Lima.")
    assert " ".join(scene.says()) == "It is four. About the capital of Peru: It is Lima."


def test_a_late_failure_says_what_it_is_about(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "partial", "What is the capital of Peru?", **TOPIC)
    scene.comes(job, 30.0, "failed", "That took too long.")
    assert " ".join(scene.says()) == "About the capital of Peru: That took too long."


def test_two_answers_come_one_after_the_other(scene):
    first, second = scene.asks(1.0), scene.asks(1.0)
    scene.comes(first, 1.1, "partial", "One, two,", role="answer")
    assert scene.says() == ["One, two,"]
    scene.answers(second, 1.2, "Other.")
    assert scene.says() == []
    scene.comes(first, 1.3, "partial", "three.", role="answer")
    scene.comes(first, 1.4, "answer", "One, two, three.")
    assert scene.says() == ["three.", "Other."]


def test_after_a_restart_the_words_that_wait_are_void(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "partial", "It is five, no doubt.", role="answer")
    scene.comes(job, 1.2, "partial", "", role="restart")
    scene.comes(job, 1.3, "partial", "It is four.", role="answer")
    scene.comes(job, 1.4, "answer", "It is four.")
    assert scene.says() == ["It is four."]


def test_after_a_restart_a_short_answer_may_come_whole(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "partial", "It is five.", role="answer")
    scene.comes(job, 1.2, "partial", "", role="restart")
    scene.comes(job, 1.3, "answer", "It is four.")
    assert scene.says() == ["It is four."]


def test_a_second_attempt_keeps_the_words_that_wait(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "partial", "It is", role="answer")
    scene.comes(job, 1.2, "partial", "", role="retry", why="killed")
    scene.comes(job, 1.3, "partial", "four.", role="answer")
    scene.comes(job, 1.4, "answer", "It is four.", attempt=2)
    assert scene.says() == ["It is four."]


# Questions and alarms


def test_a_question_is_said_and_answered(scene):
    job = scene.asks(1.0)
    assert texts(scene.comes(job, 1.1, "partial", "May I look?", role="question", tool="look")) == [
        "May I look?"
    ]
    assert scene.says() == ["May I look?"]
    scene.delegation.permit(job, True, 2.0)
    assert scene.background.calls == [("permit", job, True)]
    scene.answers(job, 2.1, "I see a cat.")
    assert scene.says() == ["I see a cat."]


def test_while_a_question_is_open_other_answers_are_said(scene):
    asking, other = scene.asks(1.0), scene.asks(1.0)
    scene.comes(asking, 1.1, "partial", "May I look?", role="question", tool="look")
    assert scene.says() == ["May I look?"]
    scene.answers(other, 1.2, "It is four.")
    assert scene.says() == ["It is four."]


def test_an_alarm_speaks_up_by_itself_and_needs_no_introduction(scene):
    waiting = scene.asks(1.0)
    scene.background.coming.append(BackgroundEvent(9, 30.0, "asked", "", {"alarm": 3}))
    scene.background.coming.append(BackgroundEvent(9, 30.0, "answer", "Your timer is done.", {"alarm": 3}))
    assert texts(scene.polls(30.0)) == ["Your timer is done."]
    assert scene.says() == ["Your timer is done."]
    assert scene.delegation.jobs == (waiting,)


def test_an_alarm_is_nothing_newer_that_was_asked(scene):
    job = scene.asks(1.0)
    scene.background.coming.append(BackgroundEvent(9, 1.1, "asked", "", {"alarm": 3}))
    scene.polls(1.1)
    assert scene.delegation.open_jobs == 2 and scene.delegation.jobs == (job,)
    scene.answers(job, 1.3, "It is four.")
    assert scene.says() == ["It is four."]


# Given up


def test_a_cancelled_job_is_not_said_but_shown(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "partial", "It is four.", role="answer")
    scene.delegation.cancel(job, 1.2, "dropped by the model")
    assert scene.background.cancelled == [(job, 1.2, "dropped by the model")]
    assert scene.says() == []
    assert scene.comes(job, 1.3, "partial", "And more.", role="answer") == ()
    scene.comes(job, 1.4, "cancelled")
    assert scene.says() == [] and scene.delegation.open_jobs == 0
    assert [e.text for e in scene.emitted if isinstance(e, BackgroundEvent)] == [
        "",
        "It is four.",
        "And more.",
        "",
    ]


def test_all_jobs_are_cancelled_but_no_alarm(scene):
    first, second = scene.asks(1.0), scene.asks(1.1)
    scene.background.coming.append(BackgroundEvent(9, 1.1, "asked", "", {"alarm": 3}))
    scene.polls(1.1)
    scene.delegation.cancel_all(2.0, "why")
    assert scene.background.cancelled == [(first, 2.0, "why"), (second, 2.0, "why")]
    scene.comes(9, 2.1, "answer", "Time.", alarm=3)
    assert scene.says() == ["Time."]


def given_up(scene: Scene) -> tuple[int, int]:
    """The words of one job were dropped with a request for another."""
    first = scene.asks(1.0)
    scene.comes(first, 1.1, "partial", "It is sunny,", role="answer")
    assert scene.speech.drop(aside=(first,)) == ""
    return first, scene.asks(2.0, given_up=(first,))


def test_an_answer_that_was_given_up_is_said_when_the_background_kept_it(scene):
    first, second = given_up(scene)
    scene.comes(first, 2.1, "partial", "and warm.", role="answer")
    assert scene.background.cancelled == []
    scene.answers(second, 2.2, "It is four.")
    scene.comes(first, 2.3, "answer", "It is sunny, and warm.")
    said = scene.says()
    assert sorted(said) == sorted(["It is sunny,", "and warm.", "It is four."])
    assert said.index("It is sunny,") + 1 == said.index("and warm.")


def test_an_answer_that_was_given_up_is_not_said_when_the_background_replaced_it(scene):
    first, second = given_up(scene)
    scene.background.coming.append(
        BackgroundEvent(first, 2.1, "cancelled", "", {"reason": f"replaced by {second}"})
    )
    scene.answers(second, 2.1, "It is rainy.")
    assert scene.says() == ["It is rainy."]


@pytest.mark.parametrize("event", ["answer", "failed", "cancelled"])
def test_an_answer_that_was_given_up_is_restored_when_what_came_instead_has_ended(scene, event):
    first, second = given_up(scene)
    scene.comes(second, 2.1, event, "Ended.", reason="x")
    scene.comes(first, 2.2, "answer", "It is sunny,")
    assert "It is sunny," in scene.says()


def test_until_the_background_has_judged_nothing_that_was_given_up_is_said(scene):
    given_up(scene)
    assert scene.says() == []


def test_nor_when_the_new_answer_is_there_at_once(scene):
    scene.background.ahead = [("partial", "It is rainy.", {"role": "answer"})]
    given_up(scene)
    assert scene.says() == ["It is rainy."]


# Captions and transcripts


def test_captions_are_shown_but_are_not_yet_said(scene):
    caption = Caption(1.0, 0.8, "what is", 1)
    scene.background.coming.append(caption)
    assert scene.polls(1.0) == ()
    assert scene.emitted == [caption]
    assert scene.conversation.lines == ()


def test_transcripts_become_lines_of_the_conversation(scene):
    transcript = Transcript(0.8, 1.4, "user", "What is it?", "", (("What", 0.8, 1.0),))
    scene.background.coming.append(transcript)
    assert scene.polls(1.0) == ()
    assert scene.emitted == [transcript]
    assert scene.conversation.lines == (Line("user", "What is it?", 0.8, 1.4),)


def test_words_that_no_caption_has_shown_become_a_transcript_once(scene):
    job = scene.asks(3.0)
    for t in (3.1, 3.2):
        scene.comes(job, t, "partial", " What is it? ", role="request")
    assert [e for e in scene.emitted if isinstance(e, Transcript)] == [
        Transcript(2.0, 3.0 - 0.2, "user", "What is it?")
    ]
    assert [line.text for line in scene.conversation.lines] == ["What is it?"]


@pytest.mark.parametrize("detail", [{"streamed": True}, {}])
def test_words_that_captions_have_shown_do_not(scene, detail):
    job = scene.asks(3.0)
    text = "What is it?" if detail else "  "
    scene.comes(job, 3.1, "partial", text, role="request", **detail)
    assert not [e for e in scene.emitted if isinstance(e, Transcript)]
    assert scene.conversation.lines == ()


# What goes to the background


def test_the_background_hears_and_learns_what_was_said_once(scene):
    silence = np.zeros(3_200, np.float32)
    scene.delegation.hear(0, silence, 0.2, 0.0)
    scene.conversation.add(Transcript(0.0, 0.5, "user", "Hello."))
    scene.delegation.hear(1, silence, 0.4, 0.0)
    scene.delegation.hear(2, silence, 0.6, 0.2)
    assert scene.background.calls == [
        ("hear", 0, 0.2, 0.0), ("know", "Hello."), ("hear", 1, 0.4, 0.0), ("hear", 2, 0.6, 0.2),
    ]  # fmt: skip


def test_an_ended_job_is_tried_again(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.1, "failed", "No.")
    scene.says()
    scene.delegation.retry(job, 2.0)
    assert scene.delegation.jobs == (2,)
    scene.answers(2, 2.1, "It is four.")
    assert scene.says() == ["It is four."]
    scene.delegation.retry(77, 3.0)
    assert scene.delegation.jobs == ()


def test_files_are_shared(scene):
    scene.delegation.share(("/a", "/b"), 1.0)
    assert scene.background.calls == [("share", "/a", "/b")]


def test_faults_are_told(scene):
    scene.background.faults = ["the background process missed 1.0 s of sound"]
    scene.polls(1.0)
    assert [e.what for e in scene.emitted if isinstance(e, Fault)] == [
        "the background process missed 1.0 s of sound"
    ]


# Without a background


@pytest.mark.parametrize(
    "what",
    [
        lambda d: d.wait_until(2.0),
        lambda d: d.hear(0, np.zeros(3_200, np.float32), 2.0, 0.0),
        lambda d: d.submit(2.0, HandOver(), None),
        lambda d: d.cancel(5, 2.0),
        lambda d: d.retry(5, 2.0),
        lambda d: d.permit(5, True, 2.0),
        lambda d: d.share(("/a",), 2.0),
        lambda d: d.poll(9),
    ],
)
def test_a_background_that_raises_is_let_go_and_the_user_hears_of_it(scene, what):
    scene.asks(1.0)
    scene.asks(1.1)
    scene.background.broken = True
    what(scene.delegation)
    faults = [e.what for e in scene.emitted if isinstance(e, Fault)]
    assert faults == ["the background process is gone: gone"]
    assert scene.delegation.open_jobs == 0
    assert " ".join(scene.says()).count("did not work.") == 2
    scene.emitted.clear()
    what(scene.delegation)  # and never again
    scene.asks(3.0)
    assert [e.what for e in scene.emitted if isinstance(e, Fault)] in (
        [], ["the model asked for background work, but no background process is running"],
    )  # fmt: skip


def test_without_a_background_a_request_is_a_fault_once():
    emitted: list[Event] = []
    delegation = Delegation(None, SpeechController(ToneVoice()), Conversation(), emitted.append)
    delegation.submit(1.0, HandOver(), None)
    delegation.submit(2.0, HandOver(), None)
    assert [type(e) for e in emitted] == [Fault]
    assert delegation.poll(9) == () and delegation.jobs == ()

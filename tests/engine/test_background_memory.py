"""What a language model is told of the past: within its budget, and nothing that matters lost."""

from hypothesis import given
from hypothesis import strategies as st

from engine.background.memory import (
    FACT_WORDS,
    RECENT_WORDS,
    SUMMARY_LINE_WORDS,
    SUMMARY_WORDS,
    Memory,
    remember,
    spoken,
    summary_of,
)
from engine.handover import Line


def line(speaker: str, text: str, unheard: str = "") -> Line:
    return Line(speaker, text, unheard=unheard)


def count(text: str) -> int:
    return len(text.split())


def part(memory: Memory, begin: str) -> str:
    """The part of the summary that begins so, empty when there is none."""
    found = [row for row in memory.summary.split("\n") if row.startswith(begin)]
    assert len(found) <= 1
    return found[0].removeprefix(begin) if found else ""


def test_a_short_conversation_goes_in_word_by_word():
    memory = remember([line("user", "Hello."), line("assistant", "Hi there.")], {}, ())
    assert memory == Memory((("user", "Hello."), ("assistant", "Hi there.")), "")


def test_nothing_is_nothing():
    assert remember([], {}, ()) == Memory((), "")


def test_what_does_not_fit_is_summarised():
    lines = [
        line("user", "What is the capital of France?"),
        line("assistant", "Paris."),
        line("user", "And of Spain?"),
        line("assistant", "Madrid."),
    ]
    memory = remember(lines, {}, (), recent_words=4)
    assert memory.recent == (("user", "And of Spain?"), ("assistant", "Madrid."))
    assert memory.summary == (
        'Earlier in this conversation: the user said "What is the capital of France" and was told "Paris".'
    )


def test_the_newest_line_stays_however_long_it_is():
    long = "word " * 1_000
    memory = remember([line("user", "Hello."), line("assistant", long)], {}, ())
    assert memory.recent == (("assistant", long),)
    assert 'the user said "Hello"' in memory.summary


def test_the_oldest_fall_out_of_the_summary_first():
    lines = [line("user", f"question number {n}") for n in range(100)]
    summary = summary_of(lines, 60)
    assert "number 99" in summary and "number 0" not in summary
    assert summary.index("number 98") < summary.index("number 99")
    assert count(summary) <= 60


def test_what_was_said_between_the_question_and_its_answer_and_after_it():
    lines = [
        line("assistant", "Good morning."),
        line("user", "First."),
        line("user", "Second?"),
        line("assistant", "Answer."),
        line("assistant", "More."),
        line("user", "..."),
    ]
    assert summary_of(lines, 99) == 'the user said "First"; the user said "Second" and was told "Answer".'


def test_a_long_line_is_shortened_in_the_summary():
    summary = summary_of([line("user", "word " * 50)], 99)
    assert summary == 'the user said "' + "word " * SUMMARY_LINE_WORDS + '…".'


def test_what_a_barge_in_cut_off_is_marked():
    assert spoken(line("assistant", "Paris is", "big.")) == (
        "Paris is [cut off here; the user did not hear: big.]"
    )
    assert spoken(line("assistant", "", "Paris.")) == "[cut off here; the user did not hear: Paris.]"
    assert spoken(line("assistant", "Paris.")) == "Paris."
    assert count(spoken(line("assistant", "a", "word " * 500))) < 50
    memory = remember([line("assistant", "Paris is", "big.")], {}, ())
    assert memory.recent[0][1].endswith("did not hear: big.]")


def test_the_marks_count_too():
    lines = [line("assistant", "", "word " * 30)] * 64
    assert sum(count(text) for _, text in remember(lines, {}, ()).recent) <= RECENT_WORDS


def test_facts_and_open_tasks_come_first():
    lines = [line("user", "word " * 300), line("user", "word " * 300)]
    facts, tasks = {"name": "Ada", "town": "Rome"}, ("timer tea at 09:35", "still answering: Why?")
    rows = remember(lines, facts, tasks).summary.split("\n")
    assert rows[0] == "About the user: name: Ada; town: Rome."
    assert rows[1] == "Open tasks: timer tea at 09:35; still answering: Why?."
    assert rows[2].startswith("Earlier in this conversation: ")
    assert remember([], facts, tasks).summary == "\n".join(rows[:2])


texts = st.text(alphabet="ab .?…\n", max_size=200) | st.lists(st.just("word"), max_size=300).map(" ".join)
speech = st.builds(line, st.sampled_from(["user", "assistant"]), texts, st.just("") | texts)
names = st.text(alphabet="abcdef", min_size=1, max_size=5)
values = st.lists(names, min_size=1, max_size=12).map(" ".join)


@given(
    st.lists(speech, max_size=70),
    st.dictionaries(names, values, max_size=30),
    st.lists(values, max_size=30),
    st.integers(1, 400),
    st.integers(0, 300),
)
def test_the_budgets_are_kept_and_no_fact_is_lost(lines, facts, tasks, recent_words, summary_words):
    memory = remember(lines, facts, tasks, recent_words, summary_words)
    told = [(each.speaker, spoken(each)) for each in lines]
    kept = list(memory.recent)
    assert kept == told[len(told) - len(kept) :]  # the last ones, whole
    assert bool(kept) == bool(lines)
    if len(kept) > 1:
        assert sum(count(text) for _, text in kept) <= recent_words
    if len(kept) < len(told):
        assert sum(count(text) for _, text in kept) + count(told[-len(kept) - 1][1]) > recent_words
    earlier = part(memory, "Earlier in this conversation: ")
    assert count(earlier) <= summary_words
    about, tasked = part(memory, "About the user: "), part(memory, "Open tasks: ")
    for budgeted, wanted in (
        (about, [f"{name}: {value}" for name, value in facts.items()]),
        (tasked, [" ".join(each.split()) for each in tasks]),
    ):
        assert count(budgeted) <= FACT_WORDS + 1
        if sum(map(count, wanted)) <= FACT_WORDS:
            assert budgeted == ("; ".join(wanted) + "." if wanted else "")
        else:
            assert budgeted.endswith("….")
            assert budgeted[:-3] and "; ".join(wanted).startswith(budgeted[:-3])


@given(st.lists(speech, max_size=70))
def test_the_usual_budgets(lines):
    memory = remember(lines, {}, ())
    newest = count(spoken(lines[-1])) if lines else 0
    assert sum(count(text) for _, text in memory.recent) <= max(RECENT_WORDS, newest)
    assert count(memory.summary) <= SUMMARY_WORDS + 4

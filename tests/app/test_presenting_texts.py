"""What presenter mode shows and runs with, without a window: figures, captions, scenes, words, choices."""

from dataclasses import replace

import pytest

from app.conversation import Conversation
from app.live import Choice
from app.presenting.captions import MAX_CHARS, MAX_UNHEARD, NOTHING, captions
from app.presenting.choice import choice_for
from app.presenting.deck import Deck, Moment, stage
from app.presenting.figures import Figures, compute_text, offset_text
from app.presenting.ring import Ring, taken
from engine import scenes
from engine.background.settings import BackgroundSettings
from engine.config import CHUNK_S, EngineConfig, Temperament
from engine.errors import InputError
from engine.events import Caption, TextIn, Transcript, TurnRecord
from engine.scenes import Scene
from tests.app.scenario import turn


def spoken(turns: str, user_db: float = -25.0) -> list[TurnRecord]:
    """A turn for each letter: u, the user talks; a, the assistant is heard; b, it nods; 2, both talk."""
    made = []
    for i, letter in enumerate(turns):
        heard = 200.0 if letter in "ab2" else 0.0
        decision = {"a": "speak", "b": "backchannel", "2": "speak"}.get(
            turns[i + 1] if i + 1 < len(turns) else letter, "listen"
        )
        made.append(turn(i, decision, user_level_db=user_db if letter in "u2" else -62.0, heard_ms=heard))
    return made


def waited(turns: str) -> float | None:
    figures = Figures()
    figures.append(spoken(turns))
    return figures.offset_s


def test_nothing_is_known_before_the_first_reply():
    assert Figures().offset_s is None
    assert waited("..........uuuuu....") is None
    assert offset_text(None) == "–"


def test_the_wait_runs_from_the_last_word_to_the_first_sound():
    assert waited("..........uuuuu...aaaa") == pytest.approx(0.6)
    assert waited("..........uuuuuaaaa") == pytest.approx(0.0)
    assert offset_text(0.6) == "0.6 s"


def test_a_first_sound_within_a_micro_turn_is_placed_there():
    figures = Figures()
    events = spoken("..........uuuuu..a")
    figures.append([*events[:-1], replace(events[-1], heard_ms=50.0)])
    assert figures.offset_s == pytest.approx(0.55)


def test_it_is_negative_when_both_speak():
    assert waited("..........uuuuu22aaa") == pytest.approx(-0.4)
    assert offset_text(-0.4) == "-0.4 s"


def test_a_nod_is_no_reply():
    assert waited("..........uuuuubbuuuu..") is None
    assert waited("..........uuuuubbuuuu..aa") == pytest.approx(0.4)


def test_speech_that_nobody_asked_for_has_no_wait():
    assert waited("....................aaaa") is None
    assert waited("..........uuuuu" + "." * 60 + "aaaa") is None


def test_going_on_after_a_pause_is_no_new_reply():
    assert waited("..........uuuuu..aaaa....aaaa") == pytest.approx(0.4)
    assert waited("..........uuuuu..aaaa....uu...aaaa") == pytest.approx(0.6)


def test_the_recogniser_s_words_are_preferred_to_the_level():
    figures = Figures()
    figures.append(spoken("..........uuuuu...aaaa"))
    figures.append([Transcript(2.0, 2.9, "user", "hi there", words=(("hi", 2.0, 2.3), ("there", 2.4, 2.85)))])
    assert figures.offset_s == pytest.approx(3.6 - 2.85)


def test_a_transcript_that_lacks_the_last_words_is_not_believed():
    figures = Figures()
    figures.append([Transcript(1.0, 1.2, "user", "hi")])
    figures.append(spoken("..........uuuuu...aaaa"))
    assert figures.offset_s == pytest.approx(0.6)


def test_a_noisy_room_does_not_count_as_speech():
    figures = Figures()
    made = [replace(e, user_level_db=-40.0 if e.user_level_db < -50 else -20.0)
            for e in spoken("..............uuuuu...aaaa")]  # fmt: skip
    figures.append(made)
    assert figures.offset_s == pytest.approx(0.6)


def test_compute_time_is_the_median_and_the_last():
    figures = Figures()
    assert compute_text(figures.last_ms, figures.median_ms) == "–"
    figures.append([turn(i, compute_ms=ms) for i, ms in enumerate((10.0, 12.0, 90.0))])
    figures.append([turn(3, compute_ms=0.0, skipped=True), turn(4, compute_ms=11.0, deadline_missed=True)])
    assert (figures.last_ms, figures.median_ms) == (11.0, 11.5)
    assert figures.late == 1
    assert compute_text(11.0, 11.6) == "12 ms of 200 ms, last 11 ms"


def test_a_long_session_keeps_a_bounded_memory():
    figures = Figures()
    figures.append(spoken("uuuu....aaaa...." * 400))
    assert len(figures._compute) == 300
    assert len(figures._sorted) == len(figures._levels) == 100
    assert figures.offset_s == pytest.approx(4 * CHUNK_S)


def test_captions_are_the_last_words_of_each():
    talk = Conversation()
    assert captions(talk) == (NOTHING, NOTHING)
    talk.append([Transcript(0.2, 0.9, "user", "first"), turn(6, "speak", text_out="Well,")])
    talk.append([Caption(2.0, 1.8, "and the second one", 2)])
    user, assistant = captions(talk)
    assert (user.text, user.sure, user.live) == ("and the second one", len("and the"), True)
    assert (assistant.text, assistant.live) == ("Well,", True)
    talk.append([Transcript(1.4, 1.9, "assistant", "Well,", "that is a long story"), TextIn(4.0, "typed")])
    user, assistant = captions(talk)
    assert assistant.unheard == "that is a long story"
    assert user.text == "typed"


def test_long_captions_keep_their_end():
    talk = Conversation()
    text = " ".join(f"word{k}" for k in range(300))
    talk.append([Transcript(0, 90, "user", text), Transcript(91, 99, "assistant", "Stop.", text)])
    user, assistant = captions(talk)
    assert user.text.endswith("word299")
    assert user.text.startswith("word")
    assert len(user.text) <= MAX_CHARS
    assert user.sure == len(user.text)
    assert len(assistant.unheard) <= MAX_UNHEARD + 2


def test_the_ring_takes_the_newest_turn():
    ring = taken(Ring(), [turn(3, "speak"), turn(4, "yield"), TextIn(1.0, "x")], 2, "two\nlines")
    assert ring.name == "yield"
    assert ring.probs[4] == max(ring.probs)
    assert (ring.jobs, ring.work, ring.turn) == (2, "two lines", 4)
    after = taken(ring, [], 0, "")
    assert (after.name, after.jobs) == ("yield", 0)
    odd = taken(Ring(), [replace(turn(1), decision="hum", probs={"listen": 7.0})], 0, "")
    assert odd.name == ""
    assert odd.probs[0] == 1.0


@pytest.fixture
def deck(tmp_path, monkeypatch) -> Deck:
    monkeypatch.setattr(scenes, "bundled_dir", lambda: tmp_path / "none")
    for name in ("A", "B", "C"):
        scenes.save(Scene(name, to_try=f"Try {name}"))
    return Deck()


def test_scenes_are_stepped_through_and_stay_on(deck):
    assert deck.scene.name == "A"
    assert not deck.step(-1)
    assert deck.step(1)
    assert deck.scene.name == "B"
    deck.choose(scenes.own_dir() / "c.json")
    assert not deck.step(1)
    scenes.delete(deck.scenes[0])
    deck.reload()
    assert deck.scene.name == "C"
    scenes.delete(deck.scene)
    deck.reload()
    assert deck.scene.name == "B"


def test_without_scenes_there_is_free_conversation(deck):
    for scene in deck.scenes:
        scenes.delete(scene)
    deck.reload()
    assert deck.scene.name == "Free conversation"
    assert not deck.step(1)
    assert stage(deck, Moment(), stand_in=True).place == ""


def test_the_stage_says_what_goes_on(deck):
    assert stage(deck, Moment(), stand_in=True).notice == "Press Return to start."
    starting = stage(deck, Moment("starting", progress="loading the voice"), stand_in=True)
    assert starting.notice == "Starting… loading the voice"
    assert stage(deck, Moment("running"), stand_in=True).notice == "Talk to me."
    assert stage(deck, Moment("running", silent=False), stand_in=True).notice == ""
    assert stage(deck, Moment("failed", error="No microphone."), stand_in=True).notice == "No microphone."
    assert stage(deck, Moment("running", switching=True), stand_in=True).notice == "Starting…"
    resetting = stage(deck, Moment("stopping", resetting=True), stand_in=True)
    assert resetting.state == "Resetting"
    assert "forgetting" in resetting.notice


def test_the_stage_names_a_server_elsewhere(deck):
    assert "stay on this computer" in stage(deck, Moment(), stand_in=True).about
    assert "go to ai.example.com" in stage(deck, Moment(), True, "https://ai.example.com/v1").about
    deck.scenes = (Scene("X", server="https://other.example.com/v1"),)
    assert "go to other.example.com" in stage(deck, Moment(), True, "https://ai.example.com/v1").about


def background(choice: Choice) -> BackgroundSettings:
    assert choice.background is not None
    return choice.background


def test_a_plain_scene_changes_nothing_but_the_store():
    settings = BackgroundSettings(base_url="http://a/v1", model="m")
    choice = Choice(input_device="mic", background=settings)
    made = choice_for(Scene("x"), choice)
    assert made.background == replace(settings, store=":memory:")
    assert replace(made, background=choice.background) == choice


def test_a_scene_brings_its_own(tmp_path):
    sound, video = tmp_path / "a.ogg", tmp_path / "v.mp4"
    sound.write_bytes(b"x")
    video.write_bytes(b"x")
    traits = Temperament(backchannel=0.7)
    scene = Scene("x", "", "Be kind.", "http://b/v1", "n", sound, video, traits)
    made = choice_for(scene, Choice(input_device="mic", camera="0"))
    assert (made.input_device, made.camera) == (str(sound), str(video))
    assert made.config.temperament == traits
    assert background(made).instructions == "Be kind."
    assert (background(made).base_url, background(made).model) == ("http://b/v1", "n")
    live = choice_for(scene, Choice(input_device="mic", camera="0"), stand_in=False)
    assert (live.input_device, live.camera) == ("mic", "0")
    assert live.background == made.background


def test_a_key_does_not_follow_to_another_server():
    settings = BackgroundSettings(base_url="https://a.example/v1", model="m", api_key="secret")
    choice = Choice(background=settings)
    other = choice_for(Scene("x", server="https://b.example/v1"), choice)
    assert (background(other).api_key, background(other).model) == ("", "")
    same = choice_for(Scene("x", server="https://a.example/v2", model="n"), choice)
    assert (background(same).api_key, background(same).model) == ("secret", "n")


def test_an_engine_of_rules_has_no_temperament():
    choice = Choice(config=EngineConfig(engine="pipeline"))
    made = choice_for(Scene("x", temperament=Temperament(interrupt=1.0)), choice)
    assert made.config == choice.config


def test_a_missing_recording_is_told_only_where_it_is_wanted(tmp_path):
    scene = Scene("x", recording=tmp_path / "lost.ogg")
    with pytest.raises(InputError, match=r"lost\.ogg"):
        choice_for(scene, Choice())
    assert choice_for(scene, Choice(), stand_in=False).input_device is None


@pytest.mark.parametrize(
    "server", ["http://ai.example.com/v1", "https://ai.example.com:8443/v1", "https://me@ai.example.com/v1"]
)
def test_a_key_for_an_encrypted_server_goes_nowhere_else(server):
    mine = Choice(background=BackgroundSettings(base_url="https://ai.example.com/v1", api_key="secret"))
    assert background(choice_for(Scene("x", server=server), mine)).api_key == ""
    same = Scene("x", server="https://ai.example.com/other")
    assert background(choice_for(same, mine)).api_key == "secret"


@pytest.mark.parametrize(
    ("hears", "muted", "told", "asked"),
    [
        ("open", False, "Microphone on", "Talk to me."),
        ("open", True, "Microphone muted", "The microphone is muted."),
        ("closed", False, "No microphone", "No microphone: plug one in."),
        ("visitor", False, "A recorded visitor speaks", "A recorded visitor talks to it."),
        ("visitor", True, "Recorded visitor muted", "A recorded visitor talks to it."),
        ("over", False, "The recorded visitor has finished", "A recorded visitor talks to it."),
    ],
)
def test_what_it_hears_is_told_as_it_is(hears, muted, told, asked):
    shown = stage(Deck(), Moment("running", hears=hears, muted=muted), stand_in=False)
    assert shown.input.split(";")[0] == told
    assert shown.notice == asked
    assert shown.unheard is (muted or hears == "closed")
    assert shown.visitor is (hears in ("visitor", "over"))


def test_recording_is_told_with_what_comes_next():
    told = [
        stage(Deck(), Moment("running", recording=now, record=later), stand_in=False).recorded
        for now in (False, True)
        for later in (False, True)
    ]
    assert told == [
        "Not recorded",
        "Not recorded; next start: recorded",
        "Recording; next start: not recorded",
        "Recording",
    ]


def test_why_it_did_not_start_is_told_to_the_room():
    trouble = "the recording lost.ogg of the scene “x” is not there: choose another"
    assert stage(Deck(), Moment("stopped", trouble=trouble), stand_in=True).notice == trouble

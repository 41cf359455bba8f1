"""Conversation: who decides, how it leans, and how it sounds."""

from typing import Any

from PySide6.QtWidgets import QLineEdit, QProgressBar, QWidget

from app.preferences.calls import Calls
from app.preferences.forms import Choices, Page, Slider, button, dim, labelled, row, show_text
from app.preferences.wording import (
    ENGINES,
    NO_TEMPERAMENT,
    SPEED_STEP,
    STEPS_A_NAT,
    TEMPERAMENT,
    TRAITS,
    bias_text,
    voice_note,
    voice_text,
)
from app.session_choice import background_from
from app.settings import DEFAULTS, Settings
from app.shell import Shell
from engine.config import DEFAULT_VOICE, MAX_BIAS, MAX_SPEED, MIN_SPEED
from engine.engines.registry import has_temperament


class ConversationPage(Page):
    """A voice is fetched only when its button is pressed; Listen plays it through the chosen loudspeaker."""

    title = "Conversation"
    names = ("engine", "interrupt", "backchannel", "give_way", "voice", "speed", "language")
    later = True
    at_once = "The temperament is taken over at once, the rest not."

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.fetching = Calls(self)
        self._voices: dict[str, Any] = {}
        self._done = 0.0
        self._give_up = False
        self._build_turns()
        self._build_voice()
        form = self.section("Language")
        self.language = QLineEdit()
        self.language.setMaxLength(20)
        self.language.setAccessibleName("Language to expect")
        labelled(form, "Language to e&xpect", self.language)
        form.addRow(dim("A code such as en. It is a hint for a recogniser that knows several languages."))
        self.language.editingFinished.connect(self.commit)
        self.finish()
        self.fetching.ticked.connect(self._show_progress)
        shell.bridge.session_changed.connect(lambda *_: self._show_voice())

    def _build_turns(self) -> None:
        form = self.section("Taking turns")
        self.engine = Choices("Who decides", [(name, ENGINES.get(name, name)) for name in ENGINES])
        labelled(form, "&Who decides", self.engine)
        self.engine.picked.connect(lambda value: self.change(engine=value))
        self.note = dim(TEMPERAMENT)
        self.sliders: dict[str, Slider] = {}
        span = round(MAX_BIAS * STEPS_A_NAT)
        for name, label in TRAITS:
            slider = Slider(label.replace("&", ""), -span, span, ("less", "more"))
            slider.say_with(bias_text)
            slider.moved.connect(lambda value, name=name: self.change(**{name: value / STEPS_A_NAT}))
            labelled(form, label, slider)
            self.sliders[name] = slider
        form.addRow(self.note)

    def _build_voice(self) -> None:
        form = self.section("Voice")
        self.voice = Choices("Voice")
        self.listen = button("&Listen", "Listen to the voice")
        labelled(form, "&Voice", self.voice, row(self.voice, self.listen))
        low, high = round(MIN_SPEED / SPEED_STEP), round(MAX_SPEED / SPEED_STEP)
        self.speed = Slider("Speed of speech", low, high, ("slower", "faster"))
        self.speed.say_with(_speed_text)
        labelled(form, "S&peed", self.speed)
        self.voice_note = dim("")
        self.install = button("Ins&tall", "Install the voice")
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Installing")
        form.addRow(self.voice_note)
        form.addRow(row(self.bar, self.install, QWidget(), stretch=2))
        self.voice.picked.connect(lambda value: self.change(voice=value))
        self.speed.moved.connect(lambda value: self.change(speed=round(value * SPEED_STEP, 2)))
        self.listen.clicked.connect(self._listen)
        self.install.clicked.connect(self._install)

    def show_settings(self, settings: Settings) -> None:
        self.engine.show_options(list(ENGINES.items()), settings.engine)
        leans = has_temperament(settings.engine)
        self.note.setText(TEMPERAMENT if leans else NO_TEMPERAMENT)
        for name, slider in self.sliders.items():
            steps = round(getattr(settings, name) * STEPS_A_NAT)
            slider.show_value(steps)
            slider.setEnabled(leans)
        steps = round(settings.speed / SPEED_STEP)
        self.speed.show_value(steps)
        show_text(self.language, settings.language)
        self.language.setPlaceholderText(background_from(DEFAULTS).language)
        self._show_voice()

    def opened(self) -> None:
        def look() -> Any:
            from engine.voices import list_voices

            return list_voices()

        def seen(voices: Any, trouble: str) -> None:
            self._voices = {voice.name: voice for voice in voices or ()}
            if trouble:
                self.tell(trouble)
            self._show_voice()

        self.calls.run(look, seen)

    def commit(self) -> None:
        self.language.setModified(False)
        self.change(language=self.language.text().strip())

    def reset(self) -> None:
        self.language.setModified(False)
        super().reset()

    def close_calls(self) -> None:
        self._give_up = True
        self.fetching.close()
        super().close_calls()

    def _show_voice(self) -> None:
        name = self.shell.settings.voice
        options = [(v.name, voice_text(v.name, v.accent, v.gender)) for v in self._voices.values()]
        self.voice.show_options(options or [(name, voice_text(name))], name)
        voice = self._voices.get(name)
        installed = voice.installed if voice is not None else name == DEFAULT_VOICE
        busy = self.fetching.busy
        self.voice_note.setText(voice_note(installed, voice.size_mb if voice else 8.0))
        self.voice_note.setVisible(not installed)
        self.install.setVisible(not installed or busy)
        self.install.setText("&Cancel" if busy else "Ins&tall")
        self.install.setEnabled(busy or (voice is not None and not installed))
        self.bar.setVisible(busy)
        self.voice.setEnabled(not busy)
        active = self.shell.bridge.active
        self.listen.setEnabled(installed and not active and not self.calls.busy)
        self.listen.setToolTip("Stop the session to listen to a voice." if active else "")

    def _listen(self) -> None:
        settings, output = self.shell.settings, self.shell.menus.outputs.value or None

        def play_sample() -> None:
            from engine.audio.live import play
            from engine.voices import sample

            play(sample(settings.voice, settings.speed), output)

        def played(_: Any, trouble: str) -> None:
            self.tell(trouble)
            self._show_voice()

        self.tell("")
        self.calls.run(play_sample, played)
        self.listen.setEnabled(False)

    def _install(self) -> None:
        if self.fetching.busy:
            self._give_up = True
            return
        name = self.shell.settings.voice
        self._give_up, self._done = False, 0.0

        def fetch() -> bool:
            from engine.voices import install

            return install(name, self._going_on)

        def fetched(whole: Any, trouble: str) -> None:
            self.tell(trouble or (f"{name.capitalize()} is installed." if whole else ""))
            self.opened()

        self.tell("")
        self.fetching.run(fetch, fetched)
        self._show_voice()

    def _going_on(self, done: float) -> bool:
        """In the thread that fetches: note how far it is, and whether to go on."""
        self._done = done
        return not self._give_up

    def _show_progress(self) -> None:
        self.bar.setValue(round(100 * self._done))


def _speed_text(steps: int) -> str:
    return f"{steps * SPEED_STEP:.2f} ×"

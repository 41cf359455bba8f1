"""The list of scenes, and a simple editor for the presenter's own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.presenting.deck import Deck
from app.shell import Shell
from app.text import one_line, sentence
from app.theme import GAP
from engine import scenes
from engine.background.settings import MAX_INSTRUCTIONS
from engine.config import MAX_BIAS, Temperament
from engine.errors import MicroturnError
from engine.scenes import Scene

_SOUND = "Sound (*.wav *.flac *.ogg *.mp3 *.aiff);;All files (*)"
_VIDEO = "Video (*.mp4 *.mkv *.mov *.webm *.avi);;All files (*)"
_SCENES = "Scenes (*.zip *.json);;All files (*)"
_TRAITS = (("interrupt", "Interrupts"), ("backchannel", "Nods"), ("give_way", "Gives way"))
STEPS = (
    (None, "as in the settings"),
    (-2.0, "much less"),
    (-1.0, "less"),
    (0.0, "as learned"),
    (1.0, "more"),
    (2.0, "much more"),
)
"""Temperament in steps of the model's own logits, in nats."""


class PathField(QWidget):
    """A file, chosen or taken away; empty is none."""

    def __init__(self, name: str, kinds: str) -> None:
        super().__init__()
        self._kinds = kinds
        self.field = QLineEdit()
        self.field.setPlaceholderText("none")
        self.field.setAccessibleName(name)
        self.choose = QPushButton("Choose…")
        self.choose.setAccessibleName(f"Choose {name.lower()}")
        self.choose.setAutoDefault(False)
        self.choose.clicked.connect(self._ask)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.field, 1)
        layout.addWidget(self.choose)

    @property
    def path(self) -> Path | None:
        text = self.field.text().strip()
        return Path(text).expanduser() if text else None

    def show_path(self, path: Path | None) -> None:
        self.field.setText("" if path is None else str(path))

    def _ask(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, self.field.accessibleName(), self.field.text(), self._kinds
        )
        if name:
            self.field.setText(name)


class ScenesDialog(QDialog):
    """Not modal. ``chosen`` carries the file of the scene to put on."""

    chosen = Signal(object)

    def __init__(self, shell: Shell, deck: Deck, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Scenes")
        self.shell, self.deck = shell, deck
        self.scene = self.shown = deck.scene
        self.list = QListWidget()
        self.list.setAccessibleName("Scenes")
        self.list.setSpacing(4)
        self.name = QLineEdit()
        self.name.setMaxLength(scenes.MAX_NAME)
        self.to_try = QLineEdit()
        self.to_try.setMaxLength(scenes.MAX_TRY)
        self.instructions = QPlainTextEdit()
        self.instructions.setTabChangesFocus(True)
        self.instructions.setPlaceholderText("How the language model is to answer")
        self.server = QLineEdit()
        self.server.setPlaceholderText("as in the settings")
        self.model = QLineEdit()
        self.model.setPlaceholderText("as in the settings")
        self.recording = PathField("Recording", _SOUND)
        self.video = PathField("Video", _VIDEO)
        self.traits = {trait: _steps(label) for trait, label in _TRAITS}
        self._warned = False
        self.told = QLabel()
        self.told.setProperty("kind", "notice")
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setWordWrap(True)
        self.told.hide()
        self.buttons = {
            name: self._button(name, call)
            for name, call in (
                ("&New", self._new), ("D&uplicate", self._duplicate), ("&Delete", self._delete),
                ("&Import…", self._import), ("&Export…", self._export), ("&Save", self._save),
                ("&Put on", self._put_on), ("&Close", self.close),
            )
        }  # fmt: skip
        self._lay_out()
        self.list.currentRowChanged.connect(self._row_chosen)
        self.reload(deck.scene.file)
        self.resize(860, 620)

    def _button(self, name: str, call: Callable[[], object]) -> QPushButton:
        made = QPushButton(name)
        made.setAutoDefault(False)
        made.clicked.connect(lambda _=False: call())
        return made

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(GAP)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Na&me", self.name),
            ("What to &try", self.to_try),
            ("Inst&ructions", self.instructions),
            ("Ser&ver", self.server),
            ("M&odel", self.model),
        )
        for label, widget in rows:
            form.addRow(label, widget)
            widget.setAccessibleName(label.replace("&", ""))
        form.addRow("Recording", self.recording)
        form.addRow("Video", self.video)
        for trait, label in _TRAITS:
            form.addRow(label, self.traits[trait])
        left, right, below = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        left.addWidget(self.list, 1)
        for names in (("&New", "D&uplicate", "&Delete"), ("&Import…", "&Export…")):
            row = QHBoxLayout()
            row.setSpacing(GAP)
            for name in names:
                row.addWidget(self.buttons[name], 1)
            left.addLayout(row)
        self.buttons["&Put on"].setProperty("kind", "primary")
        below.addWidget(self.buttons["&Save"])
        below.addStretch(1)
        below.addWidget(self.buttons["&Put on"])
        below.addWidget(self.buttons["&Close"])
        right.addWidget(self.told)
        right.addLayout(form, 1)
        right.addLayout(below)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, 2 * GAP)
        layout.setSpacing(2 * GAP)
        layout.addLayout(left, 2)
        layout.addLayout(right, 3)

    # what is shown

    def reload(self, select: Path | None) -> None:
        """Read the scenes anew, and show the one stored in ``select``."""
        self.deck.reload()
        self.list.blockSignals(True)
        self.list.clear()
        for scene in self.deck.scenes:
            own = "" if scene.bundled else "  (own)"
            self.list.addItem(f"{one_line(scene.name, 60)}{own}")
        row = next((k for k, scene in enumerate(self.deck.scenes) if scene.file == select), 0)
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._tell(self.deck.troubles[0] if self.deck.troubles else "")
        self._row_changed(row)

    def _row_changed(self, row: int) -> None:
        if 0 <= row < len(self.deck.scenes):
            self.show_scene(self.deck.scenes[row])

    def _row_chosen(self, row: int) -> None:
        """Another scene; what was written in the one before is stored, or stays until it is right."""
        if not 0 <= row < len(self.deck.scenes):
            return
        file = self.deck.scenes[row].file
        if self._store():
            self.reload(file)
        else:
            self._select(self.scene.file)

    def _select(self, file: Path | None) -> None:
        """The row of a scene, without showing it."""
        row = next((k for k, scene in enumerate(self.deck.scenes) if scene.file == file), -1)
        self.list.blockSignals(True)
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    @property
    def unsaved(self) -> bool:
        """Whether something was written that is not stored."""
        return not self.scene.bundled and self.edited() != self.shown

    def _store(self) -> bool:
        """Store what was written, if anything; False when it cannot be."""
        if not self.unsaved:
            return True
        try:
            self.scene = scenes.save(self.edited())
        except MicroturnError as err:
            self._tell(str(err))
            return False
        self.shown = self.edited()
        return True

    def show_scene(self, scene: Scene) -> None:
        """In the editor; a bundled one cannot be changed."""
        self.scene = scene
        self.name.setText(scene.name)
        self.to_try.setText(scene.to_try)
        self.instructions.setPlainText(scene.instructions)
        self.server.setText(scene.server)
        self.model.setText(scene.model)
        self.recording.show_path(scene.recording)
        self.video.show_path(scene.video)
        for trait, box in self.traits.items():
            value = None if scene.temperament is None else getattr(scene.temperament, trait)
            _show_step(box, value)
        self.shown, self._warned = self.edited(), False
        editable = not scene.bundled
        for field in (
            self.name,
            self.to_try,
            self.server,
            self.model,
            self.recording.field,
            self.video.field,
        ):
            field.setReadOnly(not editable)
        self.instructions.setReadOnly(not editable)
        for widget in (self.recording.choose, self.video.choose, *self.traits.values()):
            widget.setEnabled(editable)
        self.buttons["&Save"].setEnabled(editable)
        self.buttons["&Delete"].setEnabled(editable and scene.file is not None)
        for name in ("D&uplicate", "&Export…", "&Put on"):
            self.buttons[name].setEnabled(scene.file is not None)
        if scene.bundled:
            self._tell("This scene came with Microturn. Duplicate it to change it.")
        elif why := scene.missing():
            self._tell(sentence(why))
        elif not self.deck.troubles:
            self._tell("")

    def _tell(self, text: str) -> None:
        self.told.setText(text)
        self.told.setVisible(bool(text))

    def edited(self) -> Scene:
        """The scene as it stands in the editor."""
        chosen = {trait: box.currentData() for trait, box in self.traits.items()}
        as_set = all(value is None for value in chosen.values())
        return replace(
            self.scene,
            name=self.name.text().strip(),
            to_try=self.to_try.text().strip(),
            instructions=self.instructions.toPlainText().strip()[:MAX_INSTRUCTIONS],
            server=self.server.text().strip(),
            model=self.model.text().strip(),
            recording=self.recording.path,
            video=self.video.path,
            temperament=None
            if as_set
            else Temperament(**{trait: value or 0.0 for trait, value in chosen.items()}),
        )

    # commands

    def _try(self, call: Callable[[], Path | None]) -> None:
        """Do something with files; what fails is told, and nothing is lost."""
        try:
            select = call()
        except MicroturnError as err:
            self._tell(str(err))
            return
        self.reload(select)

    def _new(self) -> None:
        if not self._store():
            return
        self.reload(None)
        self._select(None)
        self.show_scene(Scene("New scene"))
        self.name.selectAll()
        self.name.setFocus()

    def _save(self) -> None:
        self._try(lambda: scenes.save(self.edited()).file)

    def _duplicate(self) -> None:
        if self._store():
            self._try(lambda: scenes.duplicate(self.scene).file)

    def _delete(self) -> None:
        def call() -> None:
            scenes.delete(self.scene)

        self._try(call)

    def _import(self) -> None:
        if not self._store():
            return
        name, _ = QFileDialog.getOpenFileName(self, "Import a scene", "", _SCENES)
        if name:
            self._slow(lambda: scenes.import_scene(Path(name)).file, "")

    def _export(self) -> None:
        if not self._store():
            return
        start = f"{scenes.file_stem(self.scene.name)}{scenes.PACKED}"
        name, _ = QFileDialog.getSaveFileName(self, "Export the scene", start, "Scenes (*.zip)")
        if name:
            scene = self.scene
            self._slow(lambda: scenes.export(scene, Path(name)), f"Exported to {name}")

    def _slow(self, call: Callable[[], Path | None], told: str) -> None:
        """Copies of sound and video may take a while: in the worker thread."""

        def done(select: Path | None, error: Exception | None) -> None:
            if not self.isVisible():
                return
            if error is not None:
                self._tell(str(error))
            elif select is not None:
                self.reload(select)
            else:
                self._tell(told)

        self.shell.bridge.run_call(call, done)

    def _put_on(self) -> None:
        if self._store():
            self.reload(self.scene.file)
            self.chosen.emit(self.scene.file)

    def reject(self) -> None:
        """Close, or Escape: what was written is stored; what cannot be stays to be mended, once."""
        if self._store() or self._warned:
            super().reject()
        else:
            self._warned = True
            self._tell(f"{self.told.text()} Close again to leave it unsaved.")


def _steps(label: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(label)
    for value, text in STEPS:
        box.addItem(text, value)
    return box


def _show_step(box: QComboBox, value: float | None) -> None:
    """A value between the steps becomes a step of its own, so that saving does not change it."""
    values = [box.itemData(k) for k in range(box.count())]
    if value not in values:
        box.addItem(f"{min(max(value or 0.0, -MAX_BIAS), MAX_BIAS):+g}", value)
        values.append(value)
    box.setCurrentIndex(values.index(value))

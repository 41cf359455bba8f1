"""Background: where answers come from, and how whoever answers is to behave."""

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QLineEdit

from app.preferences.forms import Check, Choices, Combo, Page, Writing, button, dim, labelled, row, show_text
from app.preferences.wording import ANSWERS, AUTOMATIC, EFFORTS, NO_KEYRING, address_problem, answers_text
from app.privacy import elsewhere
from app.session_choice import background_from
from app.settings import DEFAULTS, Settings
from app.shell import Shell
from engine.background.settings import MAX_INSTRUCTIONS


class BackgroundPage(Page):
    """The key of a server goes to the system's keyring and nowhere else."""

    title = "Background"
    names = (
        "answers", "server_url", "server_model", "reasoning_effort", "send_pictures", "think_ahead",
        "recogniser", "instructions",
    )  # fmt: skip
    later = True

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._found: tuple[Any, ...] = ()
        self._build_server()
        self._build_behaviour()
        self._build_recogniser()
        self.finish()

    def _build_server(self) -> None:
        form = self.section("Answers")
        self.answers = Choices("Answers come from")
        labelled(form, "&Answers come from", self.answers)
        self.address = QLineEdit()
        self.address.setAccessibleName("Address of the server")
        self.address.setPlaceholderText("http://localhost:11434/v1")
        self.address.setMaxLength(2_000)
        labelled(form, "A&ddress", self.address)
        self.model = Combo("Model")
        self.model.setEditable(True)
        self.look = button("&Look for servers")
        labelled(form, "&Model", self.model, row(self.model, self.look))
        line = self.model.lineEdit()
        assert line is not None
        self.model_line = line
        line.setMaxLength(200)
        line.setPlaceholderText("the first for talking that the server lists")
        self.state = dim("", "note")
        self.state.setAccessibleName("Where answers come from")
        form.addRow(self.state)
        self.key = QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setAccessibleName("Key of the server")
        self.keep_key = button("&Keep key")
        self.forget_key = button("&Forget key")
        labelled(form, "Ke&y", self.key, row(self.key, self.keep_key, self.forget_key))
        self.key_note = dim("")
        form.addRow(self.key_note)
        self.effort = Choices("Reasoning effort", EFFORTS)
        labelled(form, "&Reasoning effort", self.effort)
        self.pictures = Check("Send the camera’s &picture to a server elsewhere")
        form.addRow(self.pictures)
        self.answers.picked.connect(lambda value: self.change(answers=value))
        self.address.editingFinished.connect(self._keep_address)
        line.editingFinished.connect(self._keep_model)
        self.model.activated.connect(lambda _: self._keep_model())
        self.look.clicked.connect(self._look)
        self.key.textChanged.connect(lambda _: self._show_key_buttons())
        self.keep_key.clicked.connect(self._keep_key)
        self.forget_key.clicked.connect(self._forget_key)
        self.effort.picked.connect(lambda value: self.change(reasoning_effort=value))
        self.pictures.clicked.connect(lambda on: self.change(send_pictures="yes" if on else "no"))

    def _build_behaviour(self) -> None:
        form = self.section("Behaviour")
        self.instructions = Writing("How it should behave", MAX_INSTRUCTIONS)
        self.instructions.setPlaceholderText("For example: Explain things to a child of ten.")
        self.instructions.setFixedHeight(84)
        labelled(form, "&How it should behave", self.instructions)
        form.addRow(
            dim(
                "Told to the language model with each request. Tools answer as before, and the small "
                "built-in model follows it only now and then."
            )
        )
        self.ahead = Check("Begin to &work on an answer while you still talk")
        form.addRow(self.ahead)
        form.addRow(dim("A server that is paid for is asked more often then than it is heard."))
        self.instructions.left.connect(self._keep_instructions)
        self.ahead.clicked.connect(lambda on: self.change(think_ahead="yes" if on else "no"))

    def _build_recogniser(self) -> None:
        form = self.section("Speech recognition")
        self.recogniser = QLineEdit()
        self.recogniser.setAccessibleName("Folder of the recogniser")
        self.recogniser.setPlaceholderText("the one that came with Microturn")
        self.browse = button("&Choose…", "Choose the recogniser’s folder")
        labelled(form, "R&ecogniser", self.recogniser, row(self.recogniser, self.browse))
        form.addRow(dim("Folder of a Whisper model for faster-whisper. Larger ones hear better, but later."))
        self.recogniser.editingFinished.connect(self._keep_recogniser)
        self.browse.clicked.connect(self._browse)

    def show_settings(self, settings: Settings) -> None:
        base, used = background_from(DEFAULTS), background_from(settings)
        there = elsewhere(base.base_url) or base.base_url
        automatic = f"{there}, as MICROTURN_BASE_URL says" if there else AUTOMATIC
        self.answers.show_options([("", automatic), *ANSWERS], settings.answers)
        named, embedded = settings.answers == "server", settings.answers == "embedded"
        self.address.setEnabled(named)
        self.look.setEnabled(not embedded and not self.calls.busy)
        self.model.setEnabled(not embedded)
        for field, value in (
            (self.address, settings.server_url),
            (self.recogniser, settings.recogniser),
            (self.model_line, settings.server_model),
        ):
            show_text(field, value)
        self.effort.show_options(EFFORTS, settings.reasoning_effort)
        self.pictures.setChecked(used.send_frames)
        self.ahead.setChecked(used.think_ahead)
        self.instructions.show_text(settings.instructions)
        self._show_state(settings)
        self._show_key_buttons()

    def opened(self) -> None:
        self._forget_typing()
        self.show_settings(self.shell.settings)
        self._look()
        self._ask_for_key()

    def commit(self) -> None:
        for keep in (self._keep_address, self._keep_model, self._keep_instructions, self._keep_recogniser):
            keep()

    def reset(self) -> None:
        self._forget_typing()
        super().reset()
        self.key.clear()
        self.opened()

    def _forget_typing(self) -> None:
        for field in (self.address, self.recogniser, self.model_line):
            field.setModified(False)
        self.instructions.document().setModified(False)

    # what is typed

    def _keep_address(self) -> None:
        typed = self.address.text().strip()
        if typed == self.shell.settings.server_url:
            return
        problem = address_problem(typed) if typed else ""
        self.tell(problem)
        if not problem:
            self.address.setModified(False)
            self.change(server_url=typed)
            self._ask_for_key()

    def _keep_model(self) -> None:
        self.model_line.setModified(False)
        self.change(server_model=self.model_line.text().strip())

    def _keep_instructions(self) -> None:
        self.instructions.document().setModified(False)
        self.change(instructions=self.instructions.text)

    def _keep_recogniser(self) -> None:
        folder = self.recogniser.text().strip()
        if folder and not (Path(folder) / "model.bin").is_file():
            self.tell("There is no model.bin in that folder, so it is no recogniser for faster-whisper.")
            return
        if folder != self.shell.settings.recogniser:
            self.tell("")
        self.recogniser.setModified(False)
        self.change(recogniser=folder)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of the recogniser", self.recogniser.text())
        if folder:
            self.recogniser.setText(folder)
            self._keep_recogniser()

    # servers

    def _look(self) -> None:
        def look() -> Any:
            from engine.background.discovery import discover

            return discover()

        def seen(found: Any, trouble: str) -> None:
            self._found = found or ()
            self.tell(trouble)
            self._show_models()
            self.show_settings(self.shell.settings)

        self.state.setText("Looking for servers on this computer…")
        self.calls.run(look, seen)
        self.look.setEnabled(False)

    def _show_models(self) -> None:
        typed = self.model.currentText()
        self.model.clear()
        self.model.addItems(list(dict.fromkeys(model for server in self._found for model in server.models)))
        self.model.setEditText(typed)

    def _show_state(self, settings: Settings) -> None:
        if settings.answers == "server" and not settings.server_url:
            self.state.setText("Type the address of the server, or pick another place for answers.")
            return
        used = background_from(settings)
        fitting = [server for server in self._found if used.model in server.models] or self._found
        self.state.setText(answers_text(used, [(server.name, server.base_url) for server in fitting]))

    # the key

    def _server(self) -> str:
        return background_from(self.shell.settings).base_url

    def _show_key_buttons(self) -> None:
        server = self._server()
        self.key.setEnabled(bool(server))
        self.keep_key.setEnabled(bool(server) and bool(self.key.text().strip()))
        self.forget_key.setEnabled(bool(server))
        if not server:
            self.key_note.setText("Only a server needs a key.")

    def _ask_for_key(self) -> None:
        server = self._server()
        if not server:
            return

        def ask() -> tuple[str, bool, str]:
            from engine.background import keys

            host = keys.host_of(server)
            return host, bool(keys.load_key(host)), keys.keyring_name()

        def told(found: Any, trouble: str) -> None:
            if trouble:
                self.key_note.setText(trouble)
                return
            host, kept, ring = found
            if not ring:
                self.key_note.setText(NO_KEYRING)
            elif kept:
                self.key_note.setText(f"A key for {host} is kept in the keyring ({ring}).")
            else:
                self.key_note.setText(f"No key is kept for {host}. Keys are kept in the keyring ({ring}).")

        self.calls.run(ask, told)

    def _keep_key(self) -> None:
        server, key = self._server(), self.key.text()

        def keep() -> None:
            from engine.background import keys

            keys.save_key(keys.host_of(server), key)

        def kept(_: Any, trouble: str) -> None:
            self.tell(trouble)
            if not trouble:
                self.key.clear()
            self._ask_for_key()

        self.calls.run(keep, kept)

    def _forget_key(self) -> None:
        server = self._server()

        def forget() -> bool:
            from engine.background import keys

            return keys.delete_key(keys.host_of(server))

        def forgotten(_: Any, trouble: str) -> None:
            self.tell(trouble)
            self._ask_for_key()

        self.calls.run(forget, forgotten)

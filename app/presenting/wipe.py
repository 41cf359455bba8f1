"""Takes everything that a visitor said, typed, shared or did off the window."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QToolTip

from app.document import Document
from app.question_bar import QuestionBar
from app.shell import Shell


def wipe(shell: Shell, timeline_about: str = "") -> None:
    """Forget the visitor: conversation, timeline, jobs, questions, shared files, typed words, picture.

    The features forget with ``document_changed``. What this program put on the
    clipboard goes too, and what was copied of the conversation.

    Args:
        timeline_about: what the timeline tells a screen reader when nothing is selected.
    """
    said = [line.text for line in shell.live.conversation.lines]
    shell.timeline.select(None)
    shell.live = Document()
    shell.live.status.set_muted(shell.bridge.muted)
    shell.live.status.set_session(shell.bridge.state)
    shell.card.files.changed.emit(())
    # setText, unlike clear, forgets what could be undone.
    shell.card.field.setText("")
    shell.side.camera.show_newest(None)
    shell.timeline.setAccessibleDescription(timeline_about)
    shell.show_document(shell.live)
    for bar in shell.window_widget.findChildren(QuestionBar):
        bar.text.clear()
        bar.about.clear()
        for named in (bar, bar.allow, bar.deny):
            named.setAccessibleName("")
    QToolTip.hideText()
    clipboard = QGuiApplication.clipboard()
    if clipboard.ownsClipboard() or is_of(clipboard.text(), said):
        clipboard.clear()


def is_of(copied: str, said: Iterable[str]) -> bool:
    """Whether a text was copied out of a line, or has a whole line in it."""
    text = copied.strip()
    return bool(text) and any(line and (text in line or line in text) for line in said)


def delete_recordings(folders: Iterable[Path]) -> tuple[str, ...]:
    """Delete these very sessions; a line for each thing that is left. Not for the window's thread."""
    from engine.recorder.retention import delete_sessions

    return delete_sessions([folder for folder in folders if folder.exists()]).left

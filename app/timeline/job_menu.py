"""What can be done about a background job on the timeline."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.text import one_line
from app.timeline.items import Job
from app.timeline.model import TimelineModel

_MENU_JOBS = 6


def jobs_near(model: TimelineModel, t: float, near: float) -> list[Job]:
    """Jobs within ``near`` seconds of session second ``t``, the newest first."""
    return sorted(model.items.jobs.between(t - near, t + near), key=lambda job: -job.t0)


def job_menu(
    parent: QWidget, jobs: Sequence[Job], stop: Callable[[int], object], retry: Callable[[int], object]
) -> QMenu | None:
    """Stop what is open, try again what has ended; None without jobs."""
    if not jobs:
        return None
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for job in jobs[:_MENU_JOBS]:
        verb, call = ("Stop", stop) if job.t1 is None else ("Try again", retry)
        name = one_line(job.request or f"job {job.id}", 60).replace("&", "&&")
        action = menu.addAction(f"{verb}: {name}")
        action.triggered.connect(lambda _=False, call=call, number=job.id: call(number))
    return menu

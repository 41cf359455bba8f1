"""The list of background jobs on the screen."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.job_row import StateMark
from app.jobs import JobList, JobState
from app.jobs_view import EMPTY, JobsView
from app.theme import DARK, LIGHT
from tests.app.scenario import turn
from tests.app.test_jobs import asked, event

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def view(qtbot) -> JobsView:
    made = JobsView(LIGHT)
    qtbot.addWidget(made)
    made.resize(300, 500)
    made.show()
    made.show_jobs(JobList(), True)
    return made


def show(view: JobsView, jobs: JobList, can_act: bool = True) -> None:
    view.show_jobs(jobs, can_act)
    QApplication.processEvents()


def jobs_of(*events) -> JobList:
    jobs = JobList()
    jobs.append(events)
    return jobs


def two() -> JobList:
    return jobs_of(
        *asked(1, 5.0, "how far is the moon?"),
        event(1, 5.5, "tool_call", "convert 3", tool="convert", arguments="{}"),
        event(1, 7.0, "answer", "It is far."),
        *asked(2, 8.0, "and the sun?"),
    )


def test_an_empty_list_says_what_it_is_for(view):
    assert view.empty.isVisible()
    assert view.empty.text() == EMPTY
    show(view, two())
    assert not view.empty.isVisible()


def test_a_row_says_what_it_is_about_and_how_it_stands(view):
    jobs = two()
    show(view, jobs)
    row = view.rows[2]
    assert row.geometry().top() <= view.rows[1].geometry().top()
    assert (row.heading.text(), row.title.text(), row.note.text()) == (
        "Working · 0 s",
        "and the sun?",
        "Thinking",
    )
    assert row.accessibleName() == "Working: and the sun?. Thinking"
    jobs.append([turn(50)])
    show(view, jobs)
    assert row.heading.text() == "Working · 2 s"
    assert row.accessibleName() == "Working: and the sun?. Thinking"  # no flood for screen readers
    assert view.rows[1].heading.text() == "Answered · 2.0 s"


def test_buttons_ask_to_stop_and_to_try_again(view, qtbot):
    show(view, two())
    stopped, again = QSignalSpy(view.stop_asked), QSignalSpy(view.retry_asked)
    assert view.rows[2].stop.isVisible()
    assert not view.rows[2].retry.isVisible()
    qtbot.mouseClick(view.rows[2].stop, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(view.rows[1].retry, Qt.MouseButton.LeftButton)
    assert (stopped.at(0), again.at(0)) == ([2], [1])


def test_a_recorded_session_has_no_such_buttons(view):
    show(view, two(), False)
    assert not any(b.isVisible() for row in view.rows.values() for b in (row.stop, row.retry))
    assert view.rows[1].details.isVisible()


def test_details_unfold(view, qtbot):
    show(view, two())
    row = view.rows[1]
    assert not row.steps.isVisible()
    qtbot.mouseClick(row.details, Qt.MouseButton.LeftButton)
    assert row.steps.isVisible()
    assert "Called convert 3" in row.steps.text()
    assert not view.rows[2].details.isVisible()  # nothing to tell yet


def test_keys_move_unfold_stop_and_try_again(view, qtbot):
    show(view, two())
    stopped, again = QSignalSpy(view.stop_asked), QSignalSpy(view.retry_asked)
    first, second = view.rows[2], view.rows[1]
    view.activateWindow()
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Delete)
    qtbot.keyClick(first, Qt.Key.Key_R)  # still open: nothing to try again
    qtbot.keyClick(first, Qt.Key.Key_Up)
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert second.hasFocus()
    qtbot.keyClick(second, Qt.Key.Key_Return)
    assert second.steps.isVisible()
    qtbot.keyClick(second, Qt.Key.Key_R)
    qtbot.keyClick(second, Qt.Key.Key_Delete)
    assert (stopped.count(), stopped.at(0), again.count(), again.at(0)) == (1, [2], 1, [1])


def test_the_focus_stays_when_a_new_job_comes_and_when_a_button_goes(view):
    jobs = two()
    show(view, jobs)
    view.activateWindow()
    view.rows[2].setFocus()
    view.rows[2].stop.setFocus()
    jobs.append(asked(3, 9.0, "third"))
    show(view, jobs)
    assert QApplication.focusWidget() is view.rows[2].stop
    jobs.append([event(2, 9.5, "answer", "Farther.")])
    show(view, jobs)
    assert QApplication.focusWidget() is view.rows[2]


def test_only_one_row_is_on_the_way_of_the_tab_key(view):
    show(view, two())
    in_order = [n for n, row in view.rows.items() if row.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert in_order == [2]
    view.rows[1].setFocus()
    in_order = [n for n, row in view.rows.items() if row.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert in_order == [1]


def test_everything_has_a_name(view):
    show(view, two())
    for button in view.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.accessibleName()
    assert view.rows[2].stop.accessibleName() == "Stop: and the sun?"
    assert view.rows[1].accessibleDescription().startswith("+0.5 s")


def test_rows_go_with_their_jobs(view):
    show(view, two())
    show(view, jobs_of(*asked(9, 1.0, "other")))
    assert list(view.rows) == [9]
    show(view, JobList())
    assert view.empty.isVisible()


def test_another_session_with_the_same_numbers_shows_its_own_jobs(view):
    show(view, two())
    show(view, jobs_of(*asked(1, 1.0, "one"), *asked(2, 2.0, "other")))
    assert view.rows[2].title.text() == "other"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_each_state_has_a_shape_of_its_own(qtbot, theme):
    shapes = set()
    for state in JobState:
        mark = StateMark(theme)
        qtbot.addWidget(mark)
        mark.state = state
        image = mark.grab().toImage()
        ground = image.pixel(0, 0)
        size = range(image.width())
        shapes.add(tuple(image.pixel(x, y) != ground for x in size for y in size))
    assert len(shapes) == len(JobState)

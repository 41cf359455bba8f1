"""The requests that have to do with time, and with what the user wants kept."""

from engine.background.understanding.call import Domain
from engine.background.understanding.planning_alarms import Alarms
from engine.background.understanding.planning_clock import Clock
from engine.background.understanding.planning_lists import Lists
from engine.background.understanding.planning_notes import Facts, Notes

# Facts before notes: "remember that my favourite colour is green" is one.
PLANNING: tuple[Domain, ...] = (Alarms(), Lists(), Facts(), Notes(), Clock())

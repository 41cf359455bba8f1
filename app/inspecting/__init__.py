"""Inspecting a session: find, jumps, statistics of a selection, playback, sound and pictures."""

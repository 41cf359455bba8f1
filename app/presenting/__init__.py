"""Presenter mode: the assistant shown to a room, with scenes prepared in advance."""

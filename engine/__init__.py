"""Microturn's engine: everything that works without a window. Imports no Qt."""

__version__ = "0.1.0"

"""Microturn's desktop application (PySide6) and the program's entry point."""

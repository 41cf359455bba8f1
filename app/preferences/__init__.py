"""The settings dialog: a list of pages, each with what can be chosen on it."""

"""Simulator, targets and training loop. Never imported by a live session."""

"""Two sessions side by side, and a session once more through another engine."""

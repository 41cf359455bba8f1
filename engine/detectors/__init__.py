"""Public detectors of speech and of finished turns, for the ``pipeline`` engine and as teachers in training.

The ``micro`` engine never uses them.
"""

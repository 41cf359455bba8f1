"""Public detectors of speech and of finished turns, on onnxruntime: for the ``pipeline`` engine and as teachers.

The ``micro`` engine never uses them.
"""

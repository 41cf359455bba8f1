"""Opening a detector's ONNX file inside an installed package."""

import importlib.util
from pathlib import Path
from typing import Any

from engine.errors import MicroturnError


def packaged_file(package: str, inside: str, install: str) -> Path:
    """A file of an installed package, found without importing the package.

    Args:
        package: top-level module; ``inside``: path from its folder; ``install``: what pip is to be told.

    Raises:
        MicroturnError: the package is not installed, or lacks the file.
    """
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations if spec else None) or ():
        path = Path(place) / inside
        if path.is_file():
            return path
    raise MicroturnError(f"{Path(inside).name} is missing: run `pip install {install}`")


def open_session(path: Path) -> Any:
    """An onnxruntime session on one thread of the CPU.

    Raises:
        MicroturnError: the file is damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as err:
        raise MicroturnError(f"{path} is damaged: reinstall the package that it belongs to") from err

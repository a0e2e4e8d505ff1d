"""Named tensors in a file that is trusted only where it is whole: kept to save time, computed anew where not.

Written beside its place and moved there in one rename. A file that is missing or damaged is no error,
and neither is a disk that cannot be written.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


def load(file: Path) -> dict[str, torch.Tensor] | None:
    """What `store` wrote to `file`, if it is all there."""
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in sorted(opened.keys())}
            digest = (opened.metadata() or {}).get("sha256")
    except (SafetensorError, OSError):
        return None
    return tensors if _digest(tensors.values()) == digest else None


def store(file: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors; where that cannot be done, nothing is lost but time."""
    held = {name: tensors[name].contiguous().cpu() for name in sorted(tensors)}
    with suppress(OSError, SafetensorError):
        file.parent.mkdir(exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{file.stem}-", dir=file.parent)
        os.close(handle)
        try:
            save_file(held, beside, {"sha256": _digest(held.values())})
            with Path(beside).open("rb") as written:
                os.fsync(written.fileno())
            Path(beside).replace(file)
        finally:
            Path(beside).unlink(missing_ok=True)


def _digest(tensors: Iterable[torch.Tensor]) -> str:
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()

"""What a process needs that handles a stranger's file: an output of its own, and limits.

What is not here: what it is asked (ingest/worker.py, ui/drawing.py).
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def own_output() -> BinaryIO:
    """Our end of the pipe; whatever a library prints goes nowhere from here on."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return out


def limit(memory: int, seconds: int | None = None, files: bool = True) -> None:
    """Bound this process: bytes of address space, seconds of processor time, whether it may write `files`.

    As far as the system does: Windows bounds nothing, macOS no address space.
    """
    try:
        import resource
    except ImportError:
        return
    kinds = [(resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)]
    if not files:
        kinds.append((resource.RLIMIT_FSIZE, 0))
    if seconds is not None:
        kinds.append((resource.RLIMIT_CPU, seconds))
    for kind, most in kinds:
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, hard))
        except (OSError, ValueError):
            continue

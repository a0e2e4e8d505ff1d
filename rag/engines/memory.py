"""Memory that runs out while a model works, said in a line; the model is usable again after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingest.errors import ModelUnusable


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raises ModelUnusable in place of what PyTorch and Python raise where there is no memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        raise ModelUnusable(
            "Memory ran out while answering: close other programs or ask a shorter question."
        ) from error

"""How often a password may be tried: counted by name and by address with `limits`, in this process.

Several processes count each for themselves, so that many times as many tries are possible there.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from rag.wordsearch import folded

# Nobody alone can lock another out: what one address may try is less than what a name may be tried.
BOTH = parse("5 per 5 minutes")  # a name from an address
NAME = parse("100 per hour")  # a name, from anywhere
ADDRESS = parse("100 per 10 minutes")  # any names, from an address: a room may share one


class Tries:
    """The tries of the last hour."""

    def __init__(self) -> None:
        """None yet."""
        self._counted = MovingWindowRateLimiter(MemoryStorage())

    def begin(self, name: str, address: str) -> int:
        """Count a try; the seconds to wait before one is allowed, 0 where this one is.

        It counts before its password is looked at: of many at once no more are looked at either.
        """
        limits: list[tuple[RateLimitItem, tuple[str, ...]]] = [
            (BOTH, ("both", folded(name), address)),
            (NAME, ("name", folded(name))),
        ]
        waits = [(ADDRESS, ("address", address)), *limits]
        full = [self._wait(item, key) for item, key in waits if not self._counted.test(item, *key)]
        if not full:
            full = [self._wait(item, key) for item, key in limits if not self._counted.hit(item, *key)]
        return max(full, default=0)

    def failed(self, address: str) -> None:
        """It was wrong."""
        self._counted.hit(ADDRESS, "address", address)

    def right(self, name: str, address: str) -> None:
        """It was right: what was mistyped before is forgiven."""
        self._counted.clear(BOTH, "both", folded(name), address)

    def _wait(self, item: RateLimitItem, key: tuple[str, ...]) -> int:
        reset, _ = self._counted.get_window_stats(item, *key)
        return max(1, math.ceil(reset - time.time()))

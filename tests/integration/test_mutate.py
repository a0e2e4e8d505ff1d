"""A few damaged files of every format; the bench (tests/bench/mutate.py) tries a thousand of each.

UNITUTOR_MUTATED names another number of files.
"""

from __future__ import annotations

import os

import pytest

from ingest import limits
from tests.bench.mutate import tried
from tests.samples import samples

COUNT = int(os.environ.get("UNITUTOR_MUTATED", "10"))


@pytest.mark.parametrize("kind", samples())
def test_damaged_files_break_nothing(kind: str) -> None:
    tally = tried(kind, COUNT)
    assert (tally.files, tally.read + tally.refused) == (COUNT, COUNT)
    assert not tally.crashed and not tally.late, tally
    assert tally.peak < limits.MEMORY >> 20, tally

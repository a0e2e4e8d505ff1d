"""The order in which files of tests are run: side by side on two cores, neither should wait for the other."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that use the real models first, then those that drive a browser; small files fill up the end."""
    count = Counter(item.path for item in items)
    real = {item.path for item in items if item.get_closest_marker("real")}
    quick = {item.path for item in items if not item.get_closest_marker("browser")} - real
    files = sorted(count, key=lambda path: (path not in real, path in quick, -count[path], path))
    place = {path: number for number, path in enumerate(files)}
    items.sort(key=lambda item: place[item.path])

"""Whatever the schema allows, and what it does not, is answered without a 5xx: schemathesis makes it up.

UNITUTOR_EXAMPLES requests are made for each operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from tests.api_server import Api, serving

EXAMPLES = int(os.environ.get("UNITUTOR_EXAMPLES", "6"))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("schema"), pause=0, reading=0) as running:
        yield running


def test_no_server_error(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    asked: list[str] = []
    for found in schemathesis.openapi.from_url(f"{api.url}/openapi.json").get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=[not_a_server_error], timeout=60)

        check()
        asked.append(operation.label)
    assert len(asked) == 11

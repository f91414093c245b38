"""Renders of the chart; each profile is rendered once a session. Skipped only where there is no Helm."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.charts.chart import KNATIVE, PROFILES, VARIANTS, Document, program, render

CASES: dict[str, tuple[str, dict[str, Any] | None]] = {
    **{profile: (profile, None) for profile in PROFILES},
    "production with variants": ("production", VARIANTS),
    "minimal on Knative": ("minimal", KNATIVE),
    "production on Knative": ("production", KNATIVE | {"certificate": {"enabled": False}}),
}


@pytest.fixture(scope="session", autouse=True)
def _helm() -> None:
    if program("helm") is None:
        pytest.skip("there is no helm: run `make setup`")


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Document]]:
    """A case's objects; nobody may change them."""

    @cache
    def of(case: str) -> list[Document]:
        profile, values = CASES[case]
        return render(tmp_path_factory.mktemp("values"), profile, values)

    return of


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest, rendered: Callable[[str], list[Document]]) -> list[Document]:
    """The objects of each case."""
    return rendered(request.param)


@pytest.fixture
def chart(tmp_path: Path) -> Callable[..., list[Document]]:
    """Renders a profile with values of the test's own."""

    def of(values: dict[str, Any] | None = None, profile: str | None = "minimal", *options: str) -> list[Document]:
        return render(tmp_path, profile, values, *options)

    return of

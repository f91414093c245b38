"""On how many examples properties are tried."""

import pytest
from hypothesis import settings

from tests.properties import EVERY_RUN, WHOLE, share_of


@pytest.fixture(params=[EVERY_RUN, WHOLE])
def profile(request: pytest.FixtureRequest):
    before = settings.get_current_profile_name()
    settings.load_profile(request.param)
    yield request.param
    settings.load_profile(before)


def test_the_whole_tries_all_examples_and_every_run_a_quarter_but_a_few_at_least(profile: str) -> None:
    expected = {WHOLE: [3, 12, 60, 300], EVERY_RUN: [3, 5, 15, 75]}[profile]
    assert [share_of(count) for count in (3, 12, 60, 300)] == expected

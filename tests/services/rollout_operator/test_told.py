"""An Event is told once; one that was told before the operator was started again is no failure."""

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.release.rollout.api_server import Conflict
from endcap_rollout_operator.told import Told
from tests.services.rollout_operator.state.made_world import START, made_rollout


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def create_event(self, _event: object) -> None:
        self.asked += 1
        raise self.error


def test_an_event_that_was_told_before_is_not_told_again() -> None:
    api_server = Failing(Conflict("there is one"))
    told = Told(api_server, lambda: START)  # type: ignore[arg-type]
    for _ in range(2):
        told.note(made_rollout(), "Refused", "no right")
    assert api_server.asked == 1


def test_an_event_that_cannot_be_told_is_an_error_and_is_told_at_the_next_look() -> None:
    api_server = Failing(DependencyUnavailable("away"))
    told = Told(api_server, lambda: START)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(DependencyUnavailable, match="away"):
            told.note(made_rollout(), "Refused", "no right")
    assert api_server.asked == 2

"""An Event is recorded once; one that was recorded before the operator was started again is no failure."""

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.release.rollout.api_server import Conflict
from endcap_rollout_operator.event_recorder import EventRecorder
from tests.services.rollout_operator.state.made_cluster import START, made_rollout


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def create_event(self, _event: object) -> None:
        self.calls += 1
        raise self.error


def test_an_event_that_was_recorded_before_is_not_recorded_again() -> None:
    api_server = Failing(Conflict("there is one"))
    events = EventRecorder(api_server, lambda: START)  # type: ignore[arg-type]
    for _ in range(2):
        events.record(made_rollout(), "Refused", "no right")
    assert api_server.calls == 1


def test_an_event_that_cannot_be_recorded_is_an_error_and_is_recorded_at_the_next_look() -> None:
    api_server = Failing(DependencyUnavailable("away"))
    events = EventRecorder(api_server, lambda: START)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(DependencyUnavailable, match="away"):
            events.record(made_rollout(), "Refused", "no right")
    assert api_server.calls == 2

import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.prepared_lists.bulk_endpoint import BulkEndpoint
from tests.endcap.prepared_lists.made_endpoint import MadeEndpoint

ONE = [{"user_id": "a", "k": 2}]


def test_lists_are_asked_for_in_the_bulk_lane(endpoint: MadeEndpoint) -> None:
    with BulkEndpoint(endpoint.url, "endcap") as bulk:
        (answer,) = bulk.ask(ONE, "mail-1")
    assert answer.request_id == "mail-1-1"
    assert endpoint.asked[0][0]["x-endcap-lane"] == "bulk"


def test_a_busy_endpoint_is_asked_again_when_it_says(endpoint: MadeEndpoint) -> None:
    endpoint.troubles = [429, 503, 502]
    waits: list[float] = []
    with BulkEndpoint(endpoint.url, "endcap", sleep=waits.append) as bulk:
        assert len(bulk.ask(ONE, "r")) == 1
    assert waits == [7.0, 7.0, 4.0]


def test_patience_ends(endpoint: MadeEndpoint) -> None:
    endpoint.troubles = [503] * 100
    waits: list[float] = []
    with (
        BulkEndpoint(endpoint.url, "endcap", patience_s=60, sleep=waits.append) as bulk,
        pytest.raises(DependencyUnavailable, match="busy"),
    ):
        bulk.ask(ONE, "r")
    assert 30 <= sum(waits) <= 60


def test_an_address_where_nothing_answers_is_named() -> None:
    waits: list[float] = []
    never = BulkEndpoint("http://127.0.0.1:9", "endcap", patience_s=3, sleep=waits.append)
    with never as bulk, pytest.raises(DependencyUnavailable, match=r"127\.0\.0\.1:9.*endcap serve"):
        bulk.ask(ONE, "r")
    assert waits


def test_a_refusal_is_not_asked_again(endpoint: MadeEndpoint) -> None:
    endpoint.refuses = "instances[0].surface: must be one of 'home'"
    with BulkEndpoint(endpoint.url, "endcap") as bulk, pytest.raises(InvalidInput, match="must be one of"):
        bulk.ask(ONE, "r")
    assert len(endpoint.asked) == 1

"""The client for a shop's server, answered by a real transformer."""

import pytest

from endcap_client.errors import RecommendationRefused
from endcap_client.recommendation_client import AsyncRecommendationClient, RecommendationClient

pytestmark = pytest.mark.processes


def test_a_list_is_answered(endpoint) -> None:
    with RecommendationClient(endpoint.http, timeout_s=30) as client:
        found = client.recommend(session_id="s-1", surface="home", k=5)
    assert [item.position for item in found.recommendations] == [1, 2, 3, 4, 5]
    assert found.request_id


async def test_a_list_is_answered_in_an_event_loop(endpoint) -> None:
    async with AsyncRecommendationClient(endpoint.http, timeout_s=30) as client:
        assert len((await client.recommend(k=3)).recommendations) == 3


def test_a_field_that_the_endpoint_does_not_take_is_named(endpoint) -> None:
    with RecommendationClient(endpoint.http, timeout_s=30) as client, pytest.raises(RecommendationRefused, match=r"k: .*500"):
        client.recommend(k=501)

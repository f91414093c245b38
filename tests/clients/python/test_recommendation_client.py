"""Answers of the predict endpoint, as they are and as they should not be."""

from typing import Any

import httpx
import pytest

from endcap.contracts.answer import Answer
from endcap.contracts.request import PredictRequest
from endcap_client.errors import RecommendationRefused, RecommendationUnavailable
from endcap_client.recommendation_client import AsyncRecommendationClient, RecommendationClient

ITEM = {"item_id": "tea", "score": 0.5, "source": "popular", "reason": "Often bought", "position": 1, "title": "Tea", "propensity": 0.9}
ANSWER: dict[str, Any] = {
    "recommendations": [ITEM],
    "request_id": "r-1",
    "bundle": "endcap/7",
    "ordered_by": "ranker",
    "variant": "default",
    "degraded": ["rank"],
    "ignored": [],
    "timings_ms": {"total": 3.5},
    "personalised": False,
}


def client_of(answer: httpx.Response | Exception, seen: list[httpx.Request]) -> RecommendationClient:
    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return RecommendationClient("http://shop.example/", http=httpx.Client(transport=httpx.MockTransport(respond)))


def test_a_list_comes_back_as_the_contract_has_it() -> None:
    seen: list[httpx.Request] = []
    answer = {"predictions": [Answer.model_validate(ANSWER).model_dump(mode="json") | {"of_a_newer_endpoint": 1}]}
    with client_of(httpx.Response(200, json=answer), seen) as client:
        got = client.recommend(user_id=None, session_id="s-1", k=1, filters={"price_max": 3.0}, consent={"analytics": True})
    assert (got.recommendations[0].item_id, got.request_id, got.degraded, got.personalised) == ("tea", "r-1", ("rank",), False)
    assert seen[0].url.path == "/v1/models/endcap:predict"
    (instance,) = PredictRequest.model_validate_json(seen[0].content).instances
    assert (instance.session_id, instance.k, instance.filters.price_max, instance.consent.analytics) == ("s-1", 1, 3.0, True)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (httpx.Response(400, json={"error": "instances[0].k: must be at most 500; got 501"}), RecommendationRefused, "at most 500"),
        (httpx.Response(429, json={"error": "too many requests"}), RecommendationUnavailable, "too many requests"),
        (httpx.Response(503, json={"error": "no bundle is ready"}), RecommendationUnavailable, "no bundle is ready"),
        (httpx.Response(200, text="<html>"), RecommendationUnavailable, "no predict endpoint"),
        (httpx.Response(200, json={"predictions": []}), RecommendationUnavailable, "no predict endpoint"),
        (httpx.Response(502, json=["bad gateway"]), RecommendationUnavailable, "no predict endpoint"),
        (httpx.ReadTimeout("timed out"), RecommendationUnavailable, r"no answer \(timed out\)"),
    ],
)
def test_what_is_no_list_says_whether_to_ask_again(answer: Any, error: type[Exception], message: str) -> None:
    with client_of(answer, []) as client, pytest.raises(error, match=message):
        client.recommend(k=501)


async def test_an_event_loop_waits_no_longer_than_it_allows() -> None:
    async def respond(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out")

    http = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    async with AsyncRecommendationClient("http://shop.example", http=http) as client:
        with pytest.raises(RecommendationUnavailable, match="allow more timeout_s"):
            await client.recommend(session_id="s-1")

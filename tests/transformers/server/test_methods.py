"""Which methods a path has."""

import httpx
import pytest

from tests.transformers.server.shop import INFER, PREDICT

GET_PAGES = (
    "/",
    "/metrics",
    "/v1/models",
    "/v1/models/shop",
    "/v2",
    "/v2/health/live",
    "/v2/models/shop",
    "/v2/models/shop/ready",
    "/openapi.json",
)


@pytest.mark.parametrize("path", GET_PAGES)
async def test_head_is_answered_where_get_is(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.head(path)).status_code == (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", [PREDICT, INFER, "/v1/models/other:predict", "/v1/models/shop:explain"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_predictions_are_asked_for_by_post_alone(client: httpx.AsyncClient, path: str, method: str) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert method == "HEAD" or response.json() == {"error": "method: must be POST"}


@pytest.mark.parametrize("path", ["/v2/health/ready", "/v1/models/shop", "/v2/models/shop"])
async def test_a_page_that_is_only_read_says_so(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path, json={})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json() == {"error": "method: must be GET or HEAD"}

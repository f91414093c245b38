"""V2 as clients write it who know V1."""

import json

import httpx
import pytest

from tests.transformers.server.shop import INFER, V2_BODY


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/x-www-form-urlencoded"}, {"content-type": "text/plain"}])
async def test_v2_reads_json_whatever_the_content_type_says(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post(INFER, content=json.dumps(V2_BODY).encode(), headers=headers)
    assert response.status_code == 200, response.text
    broken = await client.post(INFER, content=b"{", headers=headers)
    assert broken.status_code == 400
    assert "header-content-length" not in broken.text

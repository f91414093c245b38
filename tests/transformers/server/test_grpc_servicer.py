"""The gRPC service asked for a version."""

from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from endcap.core.errors import InvalidInput
from endcap_transformer.server.error_answers import describe
from endcap_transformer.server.grpc_servicer import UnversionedServicer
from tests.transformers.server.shop import V2_BODY


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ModelInfer", pb.ModelInferRequest(model_name="shop", model_version="7")),
        ("ModelReady", pb.ModelReadyRequest(name="shop", version="7")),
        ("ModelMetadata", pb.ModelMetadataRequest(name="shop", version="7")),
    ],
)
async def test_a_version_is_refused_over_grpc_as_over_http(client: httpx.AsyncClient, method: str, request_: Any) -> None:
    servicer = UnversionedServicer(None, None)
    with pytest.raises(InvalidInput, match=r"model_version: must be empty: .*; got '7'") as caught:
        await getattr(servicer, method)(request_, None)
    assert describe(caught.value)[1] is grpc.StatusCode.INVALID_ARGUMENT
    assert (await client.post("/v2/models/shop/versions/7/infer", json=V2_BODY)).status_code == 501

"""The predict endpoint as an OpenAPI 3.1 document, derived from the contracts that requests and answers are checked against.

`python -m endcap.contracts.openapi > docs/openapi.json` renews the document in the repository.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from endcap.contracts.answer import Answer
from endcap.contracts.request import BULK_LANE, LANE_HEADER, PredictRequest

MODEL_NAME = "endcap"
SCHEMAS = "#/components/schemas/"
JSON_MEDIA = "application/json"

Document = dict[str, Any]


class PredictResponse(BaseModel):
    """The answers to a V1 predict call, in the order of its instances."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    predictions: list[Answer] = Field(min_length=1, max_length=100, description="One answer an instance.")


class Refusal(BaseModel):
    """Why a request was not answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: str = Field(description="For the person who wrote the request: the field, its value and what is allowed.")


class Readiness(BaseModel):
    """Whether requests may be sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ready: bool


_DESCRIBED: tuple[tuple[type[BaseModel], JsonSchemaMode], ...] = (
    (PredictRequest, "validation"),
    (PredictResponse, "serialization"),
    (Refusal, "serialization"),
    (Readiness, "serialization"),
)

_RETRY_AFTER = {
    "description": "Seconds to wait before the next attempt.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
_ENCODINGS = {
    "description": "The content encodings that are taken.",
    "required": True,
    "schema": {"const": "gzip"},
}
_CACHE = {
    "description": "`hit` when the list was made for an earlier request that asked the same and named nobody.",
    "required": True,
    "schema": {"enum": ["hit", "miss"]},
}
_REQUEST_ID = {
    "name": "x-request-id",
    "in": "header",
    "required": False,
    "description": "Becomes the answer's `request_id`; of several instances `-1`, `-2` and so on are appended. A fresh one when left out.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}

_LANE = {
    "name": LANE_HEADER,
    "in": "header",
    "required": False,
    "description": "`bulk` when nobody waits for the lists nor sees them yet: made together, behind everybody else's, without impressions.",
    "schema": {"const": BULK_LANE},
}


def openapi_document(model_name: str = MODEL_NAME) -> Document:
    """The document as JSON values.

    Args:
        model_name: `ENDCAP_SERVING__MODEL_NAME`, part of the path.
    """
    _, schemas = models_json_schema(_DESCRIBED, ref_template=SCHEMAS + "{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "endcap",
            "version": version("endcap"),
            "description": "Retail recommendations. The Open Inference Protocol V2, over HTTP and gRPC, says the same as tensors.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            f"/v1/models/{model_name}:predict": {"post": _predict()},
            "/v2/health/ready": {"get": _ready()},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def openapi_json(model_name: str = MODEL_NAME) -> str:
    """The document as text, the same for the same contracts."""
    return json.dumps(openapi_document(model_name), indent=1, ensure_ascii=False) + "\n"


def _predict() -> Document:
    return {
        "operationId": "predict",
        "summary": "Recommend one list an instance",
        "parameters": [_REQUEST_ID, _LANE],
        "requestBody": {"required": True, "content": _content("PredictRequest")},
        "responses": {
            "200": _response("The lists, one an instance.", "PredictResponse") | {"headers": {"x-endcap-cache": _CACHE}},
            "400": _response("The request is not what the contract asks for.", "Refusal"),
            "408": _response("The body did not come in time.", "Refusal"),
            "413": _response("The body is too long, as it came or unpacked.", "Refusal"),
            "415": _response("The body has a content encoding other than gzip.", "Refusal") | {"headers": {"accept-encoding": _ENCODINGS}},
            "429": _response("More requests than can be answered in time.", "Refusal") | {"headers": {"retry-after": _RETRY_AFTER}},
            "503": _response("No bundle is served yet.", "Refusal"),
        },
    }


def _ready() -> Document:
    return {
        "operationId": "ready",
        "summary": "Whether requests may be sent",
        "responses": {
            "200": _response("They may.", "Readiness"),
            "503": _response("No bundle is served yet, or the process is on its way out.", "Refusal"),
        },
    }


def _response(description: str, schema: str) -> Document:
    return {"description": description, "content": _content(schema)}


def _content(schema: str) -> Document:
    return {JSON_MEDIA: {"schema": {"$ref": SCHEMAS + schema}}}


if __name__ == "__main__":
    sys.stdout.write(openapi_json())

"""KServe V1: `{"instances": [instance, ...]}` to instances, answers to `{"predictions": [answer, ...]}`."""

from typing import Any

import orjson

from endcap.contracts.answer import Answer
from endcap.contracts.request import Instance
from endcap.core.errors import InvalidInput
from endcap_transformer.server.validation import validated


def instances_of_v1(body: Any) -> list[Instance]:
    """Read a body: parsed JSON, or its bytes when the client named no JSON content type.

    Raises:
        InvalidInput: no JSON, or not what the contract asks for.
    """
    if isinstance(body, bytes | bytearray | str):
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"the body is no JSON: {error}") from None
    return validated(body)


def v1_response(answers: list[Answer]) -> dict[str, Any]:
    return {"predictions": [as_json(answer) for answer in answers]}


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer's JSON document; explanations only where the request wants them."""
    return answer.model_dump(mode="json", exclude_none=True)

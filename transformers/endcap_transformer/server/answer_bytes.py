"""The V1 body of answers, straight to bytes."""

from collections.abc import Sequence

from endcap.contracts.answer import Answer


def v1_body(answers: Sequence[Answer]) -> bytes:
    """`{"predictions": [answer, ...]}`; explanations only where the request wants them."""
    return b'{"predictions":[%s]}' % b",".join(answer.__pydantic_serializer__.to_json(answer, exclude_none=True) for answer in answers)

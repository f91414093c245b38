"""The JSON part of a V2 request whose tensors come as bytes after it: KServe reads it without a look at its types."""

from typing import Any

from pydantic import BaseModel, ValidationError

from endcap.core.errors import InvalidInput

LENGTH_HEADER = "inference-header-content-length"


class _Output(BaseModel):
    name: str
    parameters: dict[str, Any] | None = None


class _Tensor(_Output):
    shape: list[int]
    datatype: str


class _Document(BaseModel):
    inputs: list[_Tensor]
    outputs: list[_Output] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


def require_readable(body: bytes, length: str) -> None:
    """Refuse what KServe would fail at.

    Args:
        body: JSON, then the tensors' bytes.
        length: what the request says of the JSON's length.

    Raises:
        InvalidInput: names what is wrong.
    """
    if not (length.isascii() and length.isdigit() and len(length) < 20 and int(length) <= len(body)):
        raise InvalidInput("must be the length of the JSON before the tensors' bytes", field=LENGTH_HEADER, value=length)
    try:
        _Document.model_validate_json(body[: int(length)], strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidInput(first["msg"], field=".".join(map(str, first["loc"])) or "body") from None

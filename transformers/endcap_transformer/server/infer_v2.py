"""ASGI layer in front of KServe's V2 infer: JSON is read as JSON whatever its content type says, and no key may stand twice in it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from endcap.core.errors import InvalidInput
from endcap_transformer.server.canonical_json import require_distinct_if_json
from endcap_transformer.server.error_answers import ErrorAnswers
from endcap_transformer.server.http_layers import JSON_MEDIA, send_answer
from endcap_transformer.server.parsing_v2 import LENGTH_HEADER

_ENDING = "/infer"
_CONTENT_TYPE = b"content-type"
_LENGTH = LENGTH_HEADER.encode()


class InferV2:
    """KServe takes a body without a JSON content type for tensors as bytes, and asks for a header that only those have.

    `curl -d` names a form, so V1 has never asked for a content type; V2 is read the same way.

    Args:
        app: KServe's application.
        errors: errors as answers.
    """

    def __init__(self, app: ASGIApp, errors: ErrorAnswers) -> None:
        self._app = app
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(_ENDING):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if _LENGTH in headers:
            await self._app(scope, receive, send)
            return
        message = await receive()
        try:
            require_distinct_if_json(message.get("body", b""))
        except InvalidInput as error:
            status, answer = self._errors.answer(scope["path"], error)
            await send_answer(send, status, answer)
            return
        if b"json" not in headers.get(_CONTENT_TYPE, b"").lower():
            kept = [header for header in scope["headers"] if header[0] != _CONTENT_TYPE]
            scope = {**scope, "headers": [*kept, (_CONTENT_TYPE, JSON_MEDIA)]}
        await self._app(scope, _first(message, receive), send)


def _first(message: Message, receive: Receive) -> Receive:
    waiting = [message]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay

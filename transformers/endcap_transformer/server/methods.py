"""ASGI layer: HEAD wherever there is a GET, and no method but POST where predictions are made."""

from starlette.types import ASGIApp, Receive, Scope, Send

from endcap_transformer.server.admission_layers import PREDICT_ENDINGS
from endcap_transformer.server.error_answers import error_body
from endcap_transformer.server.http_layers import send_answer


class Methods:
    """KServe knows no HEAD, and reads a GET of `/v1/models/NAME:predict` as a question for the model `NAME:predict`.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] != "POST":
            if scope["path"].endswith(PREDICT_ENDINGS):
                await send_answer(send, 405, error_body("method: must be POST"), ((b"allow", b"POST"),))
                return
            if scope["method"] == "HEAD":  # the server leaves the body of a HEAD's answer out
                scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)

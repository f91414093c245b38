"""ASGI layers around the endpoints: requests in work, origins, and every end of a request as an answer."""

import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from endcap.core.errors import EndcapError
from endcap.core.http.refusals import RequestRefused
from endcap.core.log import get_logger
from endcap_collector.access import KEY_HEADER, Access
from endcap_collector.metrics import CollectorMetrics

EVENTS_PATH, ITEMS_PATH, PIXEL_PATH = "/v1/events", "/v1/items", "/v1/pixel"
METHODS = {EVENTS_PATH: ("POST",), ITEMS_PATH: ("PUT",), PIXEL_PATH: ("GET", "HEAD")}
_GONE = 499
"""Status of a request whose sender went, as proxies count it."""

INTERNAL = "the collector failed; its log has the cause"

_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": f"authorization, content-type, content-encoding, {KEY_HEADER}",
    "access-control-max-age": "600",
}

_READABLE = {"access-control-expose-headers": "retry-after"}
"""Without it a page of another origin is not shown when to come again."""


class Endpoint:
    """What answers requests, as an application. Starlette would put one around it that answers what is raised, which AnswerLayer does.

    Args:
        answer: makes the answer, or raises.
    """

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


class AnswerLayer:
    """Counts and measures each request, bounds those in work, and answers what was raised.

    Args:
        app: what comes next.
        metrics: where it is counted.
        requests_max: most requests in work at once.
        retry_after_s: said while a part is away, or too many are in work.
    """

    def __init__(self, app: ASGIApp, metrics: CollectorMetrics, requests_max: int, retry_after_s: int) -> None:
        self._app = app
        self._metrics = metrics
        self._requests_max = requests_max
        self._retry_after = {"retry-after": str(retry_after_s)}
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in METHODS:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        methods = METHODS[scope["path"]]
        if scope["method"] not in methods:
            await _refusal(405, f"method: {' or '.join(methods)}", {"allow": ", ".join(methods)})(scope, receive, noting)
        elif self._in_work >= self._requests_max:
            await _refusal(503, "too many requests in work; try again later", self._retry_after)(scope, receive, noting)
        else:
            self._in_work += 1
            self._metrics.in_flight.set(self._in_work)
            try:
                await self._answered(scope, receive, noting)
            finally:
                self._in_work -= 1
                self._metrics.in_flight.set(self._in_work)
        self._metrics.requests.labels(scope["path"], str(status or _GONE)).inc()
        self._metrics.request_seconds.observe(time.perf_counter() - began)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        log = get_logger("collector")
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            log.info("the sender went before its body was whole")
        except RequestRefused as error:
            await _refusal(error.status, error.message, error.headers)(scope, receive, send)
        except EndcapError as error:
            log.error("request failed", path=scope["path"], error=str(error))
            more = self._retry_after if error.http_status == 503 else {}
            await _refusal(error.http_status, error.message, more)(scope, receive, send)
        except Exception as error:
            log.error("request failed", path=scope["path"], error=f"{type(error).__name__}: {error}")
            await _refusal(500, INTERNAL, {})(scope, receive, send)


class OriginLayer:
    """Lets pages of known origins read answers, and answers browsers that ask first.

    Args:
        app: what comes next.
        access: knows the origins.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin is None or scope["path"] != EVENTS_PATH:
            await self._app(scope, receive, send)
            return
        is_known = self._access.is_known_origin(origin)
        allowed = {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"} if is_known else {}
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            preflight = Response(status_code=204, headers={**allowed, **_PREFLIGHT, "vary": "origin"})
            refused = _refusal(403, "origin: none whose pages may send here", {"vary": "origin"})
            await (preflight if is_known else refused)(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.update({**allowed, **_READABLE})
                answer.add_vary_header("origin")
            await send(message)

        await self._app(scope, receive, marked)


def _refusal(status: int, message: str, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers)

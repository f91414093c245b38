"""V1 predict calls, answered in front of KServe's application: from the cache, or by the model without a detour."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from endcap.core.log import label_lines
from endcap_transformer.resilience.admission import Admission, Overloaded, arrival, send_overloaded
from endcap_transformer.resilience.answer_cache import Key, SharedAnswers
from endcap_transformer.server.answer_bytes import v1_body
from endcap_transformer.server.asgi_answer import send_answer
from endcap_transformer.server.error_answers import ErrorAnswers
from endcap_transformer.server.log_bridge import private_values
from endcap_transformer.server.model import RecommendationModel, request_id_of
from endcap_transformer.server.parsing_v1 import instances_of_v1
from endcap_transformer.telemetry.tracing import caller_headers, current_trace

Headers = Sequence[tuple[bytes, bytes]]

HIT = (b"x-endcap-cache", b"hit")
MISS = (b"x-endcap-cache", b"miss")
EVENT_MEDIA = b"application/cloudevents+json"


class PredictV1:
    """ASGI application for POST /v1/models/NAME:predict; every other request, and CloudEvents, go on to KServe's.

    A cached answer costs one look-up by the body's bytes: nothing is parsed, and it needs no place among the requests in work.

    Args:
        app: KServe's application.
        model: answers.
        admission: decides which requests are worked on.
        errors: errors as answers.
    """

    def __init__(self, app: ASGIApp, model: RecommendationModel, admission: Admission, errors: ErrorAnswers) -> None:
        self._app = app
        self._path = f"/v1/models/{model.name}:predict"
        self._model = model
        self._cache = model.cache
        self._admission = admission
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST" or _is_event(scope["headers"]):
            await self._app(scope, receive, send)
            return
        arrived = arrival(scope) or self._admission.clock()
        message = await receive()
        if message["type"] != "http.request":
            return
        body: bytes = message["body"]
        request_id = request_id_of(_header(scope["headers"], b"x-request-id"))
        try:
            with self._model.tracing.request(caller_headers(scope["headers"]), request_id) as traced:
                label_lines(request_id, traced.trace_id)
                answer, cached = await self._answer(body, request_id, arrived)
        except Overloaded:
            await send_overloaded(send, self._admission.retry_after_s)
        except Exception as error:  # every error has its answer
            status, answer = self._errors.answer(self._path, error)
            await send_answer(send, status, answer)
        else:
            await send_answer(send, 200, answer, (HIT if cached else MISS,))

    async def _answer(self, body: bytes, request_id: str, arrived: float) -> tuple[bytes, bool]:
        """The answer's bytes, and whether another request's were used."""
        key = self._cache.key(body)
        shared = self._cache.fresh(key, request_id)
        if shared is not None:
            return shared.body(request_id, self._since_ms(arrived)), True
        if self._cache.is_computing(key):  # waiting takes no place
            shared, cached = await self._parsed_and_answered(key, body, request_id, arrived)
        else:
            with self._admission.admitted("http", arrived) as ticket:
                shared, cached = await self._parsed_and_answered(key, body, request_id, arrived)
                ticket.counts = len(shared.answers) == 1
        return shared.body(request_id, self._since_ms(arrived)) if cached else v1_body(shared.answers), cached

    async def _parsed_and_answered(self, key: Key | None, body: bytes, request_id: str, arrived: float) -> tuple[SharedAnswers, bool]:
        instances = instances_of_v1(body)
        label_lines(request_id, current_trace().trace_id, lambda: private_values(instances))
        return await self._model.answers(key, instances, request_id, self._since_ms(arrived))

    def _since_ms(self, arrived: float) -> float:
        return (self._admission.clock() - arrived) * 1000


def _header(headers: Headers, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def _is_event(headers: Headers) -> bool:
    """Whether this is a CloudEvent, which KServe's application unwraps."""
    return any(name.startswith(b"ce-") or (name == b"content-type" and value.startswith(EVENT_MEDIA)) for name, value in headers)

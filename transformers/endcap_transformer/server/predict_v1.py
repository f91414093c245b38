"""KServe V1: `{"instances": [instance, ...]}` in, `{"predictions": [answer, ...]}` out, in front of KServe's application.

The answers come from the cache, or from the model without a detour.
"""

from collections.abc import Sequence

import orjson
from kserve.protocol.dataplane import DataPlane
from starlette.types import ASGIApp, Receive, Scope, Send

from endcap.contracts.request import LANE_HEADER, Instance
from endcap.core.errors import InvalidInput
from endcap.core.log import label_lines
from endcap_transformer.resilience.admission import Admission, Overloaded
from endcap_transformer.resilience.answer_cache import Key, SharedAnswers, are_anonymous, v1_body
from endcap_transformer.server.admission_layers import arrival, send_overloaded
from endcap_transformer.server.canonical_json import canonical_json, require_distinct_if_json
from endcap_transformer.server.error_answers import ErrorAnswers
from endcap_transformer.server.http_layers import JSON_MEDIA, Header, send_answer
from endcap_transformer.server.model import RecommendationModel, lane_of, request_id_of
from endcap_transformer.server.validation import private_values, validated
from endcap_transformer.telemetry.tracing import caller_headers, current_trace

Headers = Sequence[Header]
Reply = tuple[bytes, Headers, bytes]
"""Body, headers and media type of an answer."""

HIT = ((b"x-endcap-cache", b"hit"),)
MISS = ((b"x-endcap-cache", b"miss"),)
EVENT_MEDIA = b"application/cloudevents+json"


class PredictV1:
    """ASGI application for POST /v1/models/NAME:predict; every other request goes on to KServe's.

    A cached answer costs one look-up by the body's bytes: nothing is parsed, and it needs no place among the requests in work.

    Args:
        app: KServe's application.
        model: answers.
        admission: decides which requests are worked on.
        errors: errors as answers.
        events: unwraps requests that come as CloudEvents, and wraps their answers.
    """

    def __init__(self, app: ASGIApp, model: RecommendationModel, admission: Admission, errors: ErrorAnswers, events: DataPlane) -> None:
        self._app = app
        self._path = f"/v1/models/{model.name}:predict"
        self._model = model
        self._cache = model.cache
        self._admission = admission
        self._errors = errors
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        arrived = arrival(scope) or self._admission.clock()
        message = await receive()
        if message["type"] != "http.request":
            return
        headers: Headers = scope["headers"]
        request_id = request_id_of(_header(headers, b"x-request-id"))
        answered = self._answer_event if _is_event(headers) else self._answer
        try:
            with self._model.tracing.request(caller_headers(headers), request_id) as traced:
                label_lines(request_id, traced.trace_id)
                answer, more, media = await answered(message["body"], headers, request_id, arrived)
        except Overloaded:
            await send_overloaded(send, self._admission.retry_after_s)
        except Exception as error:  # every error has its answer
            status, answer = self._errors.answer(self._path, error)
            await send_answer(send, status, answer)
        else:
            await send_answer(send, 200, answer, more, media)

    async def _answer(self, body: bytes, headers: Headers, request_id: str, arrived: float) -> Reply:
        """The answer, and whether another request's was used."""
        lane = lane_of(_header(headers, LANE_HEADER.encode()))
        key = self._cache.key(body) if lane is None else None
        shared = self._cache.fresh(key, request_id)
        if shared is not None:
            return shared.body(request_id, self._since_ms(arrived)), HIT, JSON_MEDIA
        if self._cache.is_computing(key):  # waiting takes no place
            shared, cached = await self._parsed_and_answered(key, body, request_id, arrived, lane)
        else:
            async with self._admission.admitted("http", arrived):
                shared, cached = await self._parsed_and_answered(key, body, request_id, arrived, lane)
        if cached:
            return shared.body(request_id, self._since_ms(arrived)), HIT, JSON_MEDIA
        return v1_body(shared.answers), MISS, JSON_MEDIA

    async def _answer_event(self, body: bytes, headers: Headers, request_id: str, arrived: float) -> Reply:
        """The same for a CloudEvent, answered by an event."""
        named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        require_distinct_if_json(body)
        data, attributes = self._events.decode(body, named)
        answer, more, media = await self._answer(data if isinstance(data, bytes) else canonical_json(data), headers, request_id, arrived)
        event, event_headers = self._events.encode(self._model.name, orjson.loads(answer), named, attributes)
        fields = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in event_headers.items()}
        fields.pop(b"content-length", None)
        media = fields.pop(b"content-type", media)
        return event if isinstance(event, bytes) else orjson.dumps(event), (*more, *fields.items()), media

    async def _parsed_and_answered(
        self, key: Key | None, body: bytes, request_id: str, arrived: float, lane: str | None
    ) -> tuple[SharedAnswers, bool]:
        instances = instances_of_v1(body)
        label_lines(request_id, current_trace().trace_id, lambda: private_values(instances))
        shared_key = key if are_anonymous(instances) else None
        return await self._model.answers(shared_key, instances, request_id, self._since_ms(arrived), lane)

    def _since_ms(self, arrived: float) -> float:
        return (self._admission.clock() - arrived) * 1000


def instances_of_v1(body: bytes) -> list[Instance]:
    """Read a body.

    Raises:
        InvalidInput: no JSON, a key that stands twice, or not what the contract wants.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the body is no JSON: {error}") from None
    return validated(document, body)


def _header(headers: Headers, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def _is_event(headers: Headers) -> bool:
    return any(name.startswith(b"ce-") or (name == b"content-type" and value.startswith(EVENT_MEDIA)) for name, value in headers)

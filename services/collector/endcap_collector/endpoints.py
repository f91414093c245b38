"""The endpoints, from a request to its answer; what is refused as a whole is raised."""

from starlette.requests import Request
from starlette.responses import Response

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.contracts.event_type import EventType
from endcap.core.clock import Clock
from endcap.core.errors import InvalidInput
from endcap.core.http.body import BrokenBody, LongBody, read_body, unpacked
from endcap.core.http.refusals import RequestRefused
from endcap.core.settings import CollectorSettings
from endcap.events.acceptance.acceptance import Sender
from endcap.events.acceptance.json_text import BrokenJson
from endcap.events.acceptance.scopes import Scope
from endcap.events.dead_letters.letters import SentText
from endcap.events.dead_letters.sealing import Seal
from endcap.events.pixel import opened_event
from endcap_collector.access import Access, Grant
from endcap_collector.answers import answer_of, status_of
from endcap_collector.body_text import text_of
from endcap_collector.event_texts import MEDIA_TYPES, TooManyEvents, event_texts
from endcap_collector.intake import Intake

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""A GIF of one transparent pixel."""

PIXEL_SENDER = Sender("pixel", Scope.SERVER, frozenset({EventType.MAIL_OPEN}))
_KEPT_CHARACTERS = 4_096
"""Of a body that is over a limit; more would let a sender fill the disk with what is refused."""


class EventsEndpoint:
    """`POST /v1/events`.

    Args:
        settings: the collector's.
        access: decides who may send.
        intake: takes events in.
    """

    def __init__(self, settings: CollectorSettings, access: Access, intake: Intake) -> None:
        self._settings = settings
        self._access = access
        self._intake = intake

    async def __call__(self, request: Request) -> Response:
        grant = self._access.grant(request)
        texts = await self._texts(request, grant)
        self._access.charge(grant, len(texts) - 1)
        taken = await self._intake.take(texts, grant.sender, _address(request))
        return Response(answer_of(taken).model_dump_json(exclude_none=True), status_of(taken), media_type="application/json")

    async def _texts(self, request: Request, grant: Grant) -> list[str]:
        """The texts of the request's events; a body that cannot be taken apart is kept as one dead letter."""
        settings = self._settings
        text = ""
        try:
            packed = await read_body(request.stream(), request.headers, settings.body_max_bytes, settings.body_seconds)
            body = unpacked(packed, request.headers.get("content-encoding", ""), settings.body_max_bytes)
            text = body.decode("utf-8", "replace")
            text, media = text_of(body, request.headers.get("content-type", ""), MEDIA_TYPES)
            return event_texts(text, media, settings.events_max)
        except (BrokenBody, BrokenJson) as error:
            await self._bury(DeadLetterKind.PAYLOAD_BROKEN, str(error), text, request, grant)
            raise RequestRefused(400, f"body: {error}") from None
        except LongBody as error:
            await self._bury(DeadLetterKind.OVER_LIMIT, error.message, error.beginning.decode("utf-8", "replace"), request, grant)
            raise
        except TooManyEvents:
            reason = f"body: at most {settings.events_max} events"
            await self._bury(DeadLetterKind.OVER_LIMIT, reason, text, request, grant)
            raise RequestRefused(413, reason) from None

    async def _bury(self, kind: DeadLetterKind, reason: str, text: str, request: Request, grant: Grant) -> None:
        most = _KEPT_CHARACTERS if kind is DeadLetterKind.OVER_LIMIT else len(text)
        sent = SentText(text[:most], _address(request), None, is_cut=len(text) > most or not text)
        await self._intake.bury(kind, reason, sent, grant.sender)


class PixelEndpoint:
    """`GET /v1/pixel`.

    Args:
        seal: the keys of pixels.
        intake: takes events in.
        clock: the present, UTC.
    """

    def __init__(self, seal: Seal, intake: Intake, clock: Clock) -> None:
        self._seal = seal
        self._intake = intake
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        try:
            text = opened_event(request.query_params.get("t", ""), self._seal, self._clock())
        except InvalidInput as error:
            raise RequestRefused(403 if error.http_status == 400 else error.http_status, f"t: {error.message}") from None
        await self._intake.take([text], PIXEL_SENDER, _address(request))
        return Response(PIXEL, media_type="image/gif", headers={"cache-control": "no-store"})


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None

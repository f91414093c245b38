"""Changes of items, from a request to its answer."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from endcap.catalogue.changes.judging import AcceptedChange, RefusedChange, judged_change
from endcap.core.clock import Clock
from endcap.core.http.body import BrokenBody, read_body, unpacked
from endcap.core.http.refusals import RequestRefused
from endcap.core.settings import CollectorSettings
from endcap.events.acceptance.json_text import BrokenJson
from endcap.events.log.durable import DurableLog
from endcap_collector.access import Access
from endcap_collector.answers import ItemsAnswer, RefusedItem
from endcap_collector.body_text import text_of
from endcap_collector.event_texts import JSON_MEDIA, LINES_MEDIA, TooManyEvents, event_texts
from endcap_collector.metrics import CollectorMetrics

ITEM_MEDIA = (JSON_MEDIA, *LINES_MEDIA)
_PLACES = 2**32 - 1


class ItemsEndpoint:
    """`PUT /v1/items`. What is refused is said and counted, and not kept: who sends has it, and can send it again.

    Args:
        settings: the collector's.
        access: decides who may send.
        log: where changes go.
        metrics: where they are counted.
        clock: the present, UTC.
    """

    def __init__(self, settings: CollectorSettings, access: Access, log: DurableLog, metrics: CollectorMetrics, clock: Clock) -> None:
        self._settings = settings
        self._access = access
        self._log = log
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        grant = self._access.grant(request)
        if not grant.sender.changes_items:
            raise RequestRefused(403, "this key may not change items; use a server key for all types, or a catalogue key")
        texts = await self._texts(request)
        self._access.charge(grant, len(texts) - 1)
        now = self._clock()
        verdicts = [judged_change(text, change_id, now) for text, change_id in zip(texts, _change_ids(len(texts)), strict=True)]
        accepted = [verdict for verdict in verdicts if isinstance(verdict, AcceptedChange)]
        if accepted:
            await self._log.write("".join(change.line for change in accepted).encode())
        for change in accepted:
            self._metrics.items_accepted.labels("item" if change.is_whole else "update").inc()
        answer = ItemsAnswer(accepted=len(accepted), refused=_refused(verdicts))
        self._metrics.items_refused.inc(len(answer.refused))
        return JSONResponse(answer.model_dump(mode="json", exclude_none=True), 200 if accepted else 400)

    async def _texts(self, request: Request) -> list[str]:
        settings = self._settings
        packed = await read_body(request.stream(), request.headers, settings.body_max_bytes, settings.body_seconds)
        try:
            body = unpacked(packed, request.headers.get("content-encoding", ""), settings.body_max_bytes)
            text, media = text_of(body, request.headers.get("content-type", ""), ITEM_MEDIA)
            return event_texts(text, media, settings.events_max)
        except (BrokenBody, BrokenJson) as error:
            raise RequestRefused(400, f"body: {error}") from None
        except TooManyEvents:
            raise RequestRefused(413, f"body: at most {settings.events_max} items") from None


def _change_ids(count: int) -> list[UUID]:
    """In the order of the request: of changes that became so and came at the same time the last holds."""
    first = uuid4().int & ~_PLACES
    return [UUID(int=first + place) for place in range(count)]


def _refused(verdicts: Sequence[AcceptedChange | RefusedChange]) -> list[RefusedItem]:
    return [
        RefusedItem(index=index, field=verdict.field, reason=verdict.reason)
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, RefusedChange)
    ]

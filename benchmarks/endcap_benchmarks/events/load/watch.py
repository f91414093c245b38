"""`python -m endcap_benchmarks.events.load.watch PLAN RESULT`: visits that look at an item and then at their list, until it is another one.

See `endcap_benchmarks.serving.load.load` for its words.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from endcap.contracts.event_type import EventType
from endcap.contracts.moment import utc_text
from endcap.core.clock import Clock, system_clock
from endcap_benchmarks.events.load.plan import OK
from endcap_benchmarks.events.load.send import PATH
from endcap_benchmarks.events.load.visits import Probe, Visit, VisitPlan, Watched, write_watched
from endcap_benchmarks.serving.load.http_sender import HttpConnections, HttpSender, RawAnswer, post, raw_lists
from endcap_benchmarks.serving.load.loops import Sent, ask, begun, run_loop, say

CONNECTIONS = 8

Items = tuple[str, ...]


def main() -> int:
    plan_path, result_path = map(Path, sys.argv[1:3])
    write_watched(result_path, run_loop(_run(VisitPlan.read(plan_path))))
    return 0


async def _run(plan: VisitPlan) -> list[Watched]:
    collector, predict = HttpConnections(plan.collector_port), HttpSender(plan.predict_port, plan.model)
    await asyncio.gather(collector.open(CONNECTIONS), predict.open(CONNECTIONS))
    await begun()
    began = time.perf_counter()
    watch = Watch(plan, collector, predict)

    async def in_time(visit: Visit) -> Watched:
        await asyncio.sleep(max(visit.begins_s - (time.perf_counter() - began), 0.0))
        return await watch.visit(visit)

    watched = await asyncio.gather(*(in_time(visit) for visit in plan.visits))
    say("sent")
    await asyncio.gather(collector.close(), predict.close())
    return watched


class Watch:
    """Follows visits.

    Args:
        plan: how.
        collector: connections to the collector.
        predict: sender of predict requests.
        clock: the present, UTC.
        timer: seconds that never go back.
    """

    def __init__(
        self,
        plan: VisitPlan,
        collector: HttpConnections,
        predict: HttpSender,
        clock: Clock = system_clock,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._plan, self._collector, self._predict = plan, collector, predict
        self._clock, self._timer = clock, timer

    async def visit(self, visit: Visit) -> Watched:
        """Its list before anything happened; then each event, and the list until it follows."""
        request = self._predict.prepared({**self._plan.instance, "session_id": visit.session_id})
        before, _, _ = await self._look_until(request, None)
        if before is None:
            return Watched(has_list=False, probes=[], is_steady=None)
        probes = []
        for item_id in visit.item_ids:
            probe, before = await self._probe(visit.session_id, item_id, request, before)
            probes.append(probe)
        await asyncio.sleep(self._plan.steady_after_s)
        again, _, _ = await self._look_until(request, None)
        return Watched(has_list=True, probes=probes, is_steady=None if again is None else again == before)

    async def _probe(self, session_id: str, item_id: str, request: bytes, before: Items) -> tuple[Probe, Items]:
        sent_at = self._timer()
        answer = await _answered(self._collector, post(PATH, "application/json", view_event(session_id, item_id, self._clock())))
        accepted_at = self._timer()
        is_accepted = answer is not None and answer.status == OK and json.loads(answer.body)["accepted"] == 1
        accept_ms = (accepted_at - sent_at) * 1000
        if not is_accepted:
            return Probe(False, accept_ms, None, 0, 0), before
        await asyncio.sleep(self._plan.look_every_s)
        after, looks, degraded = await self._look_until(request, before)
        changed_ms = None if after is None else (self._timer() - accepted_at) * 1000
        return Probe(True, accept_ms, changed_ms, looks, degraded), before if after is None else after

    async def _look_until(self, request: bytes, before: Items | None) -> tuple[Items | None, int, int]:
        """The first whole list that is another one, how often was looked, and how many answers were not of the whole path."""
        end = self._timer() + self._plan.patience_s
        looks = degraded = 0
        while True:
            looks += 1
            items = _items(await _answered(self._predict, request))
            degraded += items is None
            if items is not None and items != before:
                return items, looks, degraded
            if self._timer() + self._plan.look_every_s > end:
                return None, looks, degraded
            await asyncio.sleep(self._plan.look_every_s)


async def _answered(connections: HttpConnections, request: bytes) -> RawAnswer | None:
    """None when the connection broke: that is counted as an answer that says nothing."""
    each = Sent(0, 0.0, 0.0)
    await ask(connections, request, each, 0.0)
    return each.answer


def _items(answer: RawAnswer | None) -> Items | None:
    """The list's items; None where there is no list of the whole path: without the ranker the order would be another one for that alone."""
    if answer is None or answer.status != OK:
        return None
    made = raw_lists(answer)[0]
    return None if made["degraded"] else tuple(each["item_id"] for each in made["recommendations"])


def view_event(session_id: str, item_id: str, now: datetime) -> bytes:
    """A request body: a visit looks at an item."""
    moment = utc_text(now.astimezone(UTC))
    event = {"event_id": str(uuid4()), "event_type": EventType.PRODUCT_VIEW.value, "occurred_at": moment, "sent_at": moment}
    return json.dumps({**event, "session_id": session_id, "item_id": item_id, "channel": "web"}).encode()


if __name__ == "__main__":
    sys.exit(main())

"""What becomes of events while the collector is away, busy, or there are too many."""

import json

import pytest

from tests.clients.javascript.shop import OWN_PATH
from tests.clients.javascript.visitor import NEVER_MS, Visitor
from tests.clients.keyed_collector import SLOW_KEY
from tests.waiting import until_async

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]


async def test_events_of_an_outage_arrive_once_when_the_collector_is_back(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up())
    visitor.collector.kill()
    try:
        await page.evaluate("() => { for (let n = 0; n < 20; n++) endcap.search('tea ' + n); return endcap.flush() }")
        assert await page.evaluate("endcap.waiting") == 20
    finally:
        visitor.collector.start()
    await page.wait_for_function("endcap.waiting === 0")
    assert len(visitor.stored()) == 20


async def test_a_later_page_sends_what_an_outage_kept(visitor: Visitor) -> None:
    address = visitor.put_up(flushMs=NEVER_MS, retryMs=NEVER_MS, retryMostMs=NEVER_MS, endpoint=OWN_PATH)
    visitor.shop.instead += [(503, {})] * 2
    page = await visitor.open(address)
    await page.evaluate("() => { endcap.search('tea'); return endcap.flush() }")
    await page.close(run_before_unload=True)
    await until_async(lambda: len(visitor.shop.received) == 2, "the beacon")
    later = await visitor.open(address)
    await later.evaluate("endcap.flush()")
    assert [row["query"] for row in visitor.stored()] == ["tea"]


async def test_the_endpoint_may_be_a_path_of_the_shop(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(endpoint=OWN_PATH))
    await page.evaluate("endcap.search('tea')")
    assert len(await visitor.until_stored(1)) == 1
    assert len(visitor.shop.received) >= 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_what_is_refused_for_the_moment_is_sent_again_with_the_same_id(visitor: Visitor, status: int) -> None:
    visitor.shop.instead += [(status, {})] * 2
    page = await visitor.open(visitor.put_up(endpoint=OWN_PATH))
    event_id = await page.evaluate("endcap.track('search', {query: 'tea'})")
    assert [row["event_id"] for row in await visitor.until_stored(1)] == [event_id]
    assert [json.loads(body)["event_id"] for body in visitor.shop.received] == [event_id] * 3


async def test_a_page_that_answers_for_the_collector_is_no_answer(visitor: Visitor) -> None:
    visitor.shop.instead.append((200, {}))
    page = await visitor.open(visitor.put_up(endpoint=OWN_PATH))
    await page.evaluate("endcap.search('tea')")
    assert len(await visitor.until_stored(1)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 415])
async def test_a_request_that_is_refused_for_good_is_not_tried_again(visitor: Visitor, status: int) -> None:
    visitor.shop.instead.append((status, {}))
    page = await visitor.open(visitor.put_up(endpoint=OWN_PATH))
    await page.evaluate("() => { endcap.search('tea'); return endcap.flush() }")
    ((event, refusal),) = await page.evaluate("window.refused")
    assert (event["query"], refusal) == ("tea", {"index": 0, "kind": "request", "reason": f"status {status}"})
    assert await page.evaluate("endcap.waiting") == 0


async def test_a_request_of_too_many_events_goes_in_halves(visitor: Visitor) -> None:
    visitor.shop.instead.append((413, {}))
    page = await visitor.open(visitor.put_up(endpoint=OWN_PATH, flushMs=NEVER_MS))
    await page.evaluate("() => { for (let n = 0; n < 5; n++) endcap.search('tea ' + n); return endcap.flush() }")
    assert [len(body.splitlines()) for body in visitor.shop.received] == [5, 3, 2]
    assert len(visitor.stored()) == 5


async def test_a_page_of_another_origin_waits_as_long_as_the_collector_says(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(key=SLOW_KEY, flushMs=NEVER_MS))
    said = await page.evaluate("""async () => {
        const send = window.fetch;
        const said = [];
        window.fetch = async (...all) => {
            const answer = await send(...all);
            said.push([answer.status, Number(answer.headers.get("retry-after")), performance.now()]);
            return answer;
        };
        for (let n = 0; n < 4; n++) endcap.search("tea " + n);
        await endcap.flush();
        endcap.search("cup");
        await endcap.flush();
        while (endcap.waiting) await new Promise((done) => setTimeout(done, 20));
        return said;
    }""")
    assert len(visitor.stored()) == 5
    (first, refused, again) = (said[0], said[1], said[-1])
    assert (first[0], refused[0], again[0]) == (200, 429, 200)
    assert refused[1] >= 1
    assert said[2][2] - refused[2] >= 1_000 * refused[1]


async def test_pauses_double_with_chance_up_to_the_longest(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    pauses = await page.evaluate("""async () => {
        endcap.close();
        const {EndcapClient} = await import("/src/endcap.js");
        const pauses = [];
        const later = window.setTimeout;
        window.fetch = () => Promise.reject(new TypeError("no network"));
        const client = new EndcapClient({endpoint: "/collect", flushMs: 7, retryMs: 1000, retryMostMs: 5000, random: () => 0.5});
        window.setTimeout = (action, ms) => { pauses.push(ms); return later(action, 0) };
        client.search("tea");
        while (pauses.length < 6) await new Promise((done) => later(done, 5));
        client.close();
        return pauses.slice(0, 6);
    }""")
    assert pauses == [7, 750, 1_500, 3_000, 3_750, 3_750]


async def test_the_oldest_are_dropped_and_counted_when_too_many_wait(visitor: Visitor) -> None:
    script = "window.dropped = 0;"
    page = await visitor.open(visitor.put_up(script=script, endpoint=OWN_PATH, flushMs=NEVER_MS, queueEvents=3, batchEvents=100))
    await page.evaluate("() => { for (let n = 0; n < 5; n++) endcap.search('tea ' + n) }")
    assert await page.evaluate("[endcap.waiting, endcap.dropped]") == [3, 2]
    await page.evaluate("endcap.flush()")
    assert [row["query"] for row in visitor.stored()] == ["tea 2", "tea 3", "tea 4"]


async def test_the_oldest_are_dropped_when_they_are_too_long_together(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS, queueBytes=5_000))
    await page.evaluate("() => { for (let n = 0; n < 20; n++) endcap.search('x'.repeat(500)) }")
    waiting, dropped = await page.evaluate("[endcap.waiting, endcap.dropped]")
    assert waiting + dropped == 20
    assert 3 <= waiting <= 6


async def test_a_full_device_keeps_events_in_the_page(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    await page.evaluate("() => { for (let n = 22; n >= 0; n--) try { localStorage[n] = 'x'.repeat(2 ** n) } catch {} }")
    await page.evaluate("() => { endcap.search('x'.repeat(500)); return endcap.flush() }")
    assert len(visitor.stored()) == 1


async def test_a_queue_that_something_spoiled_is_passed_over(visitor: Visitor) -> None:
    address = visitor.put_up(flushMs=NEVER_MS)
    page = await visitor.open(address)
    await page.evaluate(
        "() => { localStorage['endcap:event:1'] = '{'; localStorage['endcap:event:2'] = '5'; localStorage['endcap:session'] = 'x' }"
    )
    again = await visitor.open(address)
    await again.evaluate("() => { endcap.search('tea'); return endcap.flush() }")
    assert len(visitor.stored()) == 1
    assert await again.evaluate("Object.keys(localStorage).length") == 1

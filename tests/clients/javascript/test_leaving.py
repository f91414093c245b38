"""What becomes of events when a page goes."""

import pytest

from tests.clients.javascript.shop import OWN_PATH
from tests.clients.javascript.visitor import NEVER_MS, Visitor
from tests.clients.keyed_collector import BROWSER_KEY
from tests.waiting import until_async

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]

LONG = "x" * 450
BEACON_MAX = 65_536


async def test_the_last_batch_arrives_when_a_page_is_left_for_another_origin(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    await page.evaluate("() => { for (let n = 0; n < 20; n++) endcap.search('tea ' + n) }")
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")
    assert len(await visitor.until_stored(20)) == 20


async def test_the_last_batch_arrives_when_a_tab_is_closed(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    await page.evaluate("endcap.search('tea')")
    await page.close(run_before_unload=True)
    assert len(await visitor.until_stored(1)) == 1


async def test_a_beacon_that_has_to_ask_first_is_lost_where_nothing_answers_and_ours_is_not(visitor: Visitor) -> None:
    endpoint = f"{visitor.shop.other_origin}{OWN_PATH}"
    asking = f"""
        addEventListener("pagehide", () => {{
            const event = {{event_id: crypto.randomUUID(), event_type: "search", occurred_at: new Date().toISOString(),
                session_id: "s-1", query: "asking", store_id: "{visitor.mark}"}};
            const body = new Blob([JSON.stringify(event)], {{type: "application/json"}});
            navigator.sendBeacon("{endpoint}?key={BROWSER_KEY}", body);
        }});"""
    page = await visitor.open(visitor.put_up(script=asking, flushMs=NEVER_MS, endpoint=endpoint))
    await page.evaluate("endcap.search('simple')")
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")
    await visitor.until_stored(1)
    await until_async(lambda: visitor.shop.asked, "the question of the other beacon")
    assert [row["query"] for row in visitor.stored()] == ["simple"]


async def test_nothing_is_lost_of_more_than_a_beacon_takes(visitor: Visitor) -> None:
    address = visitor.put_up(flushMs=NEVER_MS, batchEvents=10_000, endpoint=OWN_PATH)
    page = await visitor.open(address)
    await page.evaluate(f"() => {{ for (let n = 0; n < 300; n++) endcap.search(n + '{LONG}') }}")
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")
    first = await visitor.until_stored(1)
    assert 50 < len(first) < 300
    assert [len(body.encode()) < BEACON_MAX for body in visitor.shop.received] == [True]
    again = await visitor.open(address)
    await again.evaluate("endcap.flush()")
    stored = visitor.stored()
    assert len(stored) == len({row["event_id"] for row in stored}) == 300
    assert await again.evaluate("[endcap.waiting, endcap.dropped]") == [0, 0]
    assert await again.evaluate("Object.keys(localStorage).filter((key) => key.includes('event:')).length") == 0


async def test_an_event_is_sent_again_where_a_beacon_was_lost(visitor: Visitor) -> None:
    address = visitor.put_up(flushMs=NEVER_MS, endpoint=OWN_PATH)
    visitor.shop.instead.append((503, {}))
    page = await visitor.open(address)
    await page.evaluate("endcap.search('tea')")
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")
    await until_async(lambda: len(visitor.shop.received) == 1, "the beacon")
    assert visitor.stored() == []
    again = await visitor.open(address)
    await again.evaluate("endcap.flush()")
    assert len(visitor.stored()) == 1


async def test_without_beacons_a_request_outlives_the_page(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS, script="navigator.sendBeacon = undefined;"))
    await page.evaluate("endcap.search('tea')")
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")
    assert len(await visitor.until_stored(1)) == 1


async def test_a_request_that_the_page_leaves_behind_loses_nothing(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    await page.evaluate("() => { endcap.search('tea'); endcap.flush(); location.href = '/elsewhere' }")
    assert len(await visitor.until_stored(1)) == 1


async def test_what_a_beacon_took_more_than_a_day_ago_is_not_sent_as_late(visitor: Visitor) -> None:
    address = visitor.put_up(flushMs=NEVER_MS)
    page = await visitor.open(address)
    await page.evaluate("endcap.search('tea')")
    await page.evaluate("""() => {
        const key = Object.keys(localStorage).find((key) => key.includes("event:"));
        const longAgo = new Date(Date.now() - 24 * 3_600_000).toISOString();
        for (const [id, more] of [["old", {sent_at: longAgo}], ["unsent", {}]]) {
            const event = {...JSON.parse(localStorage[key]), event_id: crypto.randomUUID(), occurred_at: longAgo, query: id, ...more};
            localStorage["endcap:event:" + event.event_id] = JSON.stringify(event);
        }
    }""")
    again = await visitor.open(address)
    assert await again.evaluate("endcap.waiting") == 2
    await again.evaluate("endcap.flush()")
    assert [(event["query"], said["kind"]) for event, said in await again.evaluate("window.refused")] == [("unsent", "too_late")]

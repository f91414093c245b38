"""Sessions, page views and the time in front."""

import pytest

from tests.clients.javascript.visitor import NEVER_MS, Visitor

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]


async def test_a_second_tab_is_in_the_same_session(visitor: Visitor) -> None:
    address = visitor.put_up()
    pages = [await visitor.open(address) for _ in range(2)]
    for page in pages:
        await page.evaluate("endcap.pageView({surface: 'home'})")
    stored = await visitor.until_stored(2)
    assert len({row["session_id"] for row in stored}) == 1
    assert await pages[0].evaluate("endcap.sessionId") == stored[0]["session_id"]


async def test_a_session_ends_after_half_an_hour_without_events(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    ids = await page.evaluate("""async () => {
        const {EndcapClient} = await import("/src/endcap.js");
        let now = Date.now();
        const client = new EndcapClient({endpoint: "/collect", consent: {analytics: true}, flushMs: 3_600_000, now: () => now});
        return [0, 30, 30, 30.1, 0].map((minutes) => { now += minutes * 60_000; return client.sessionId });
    }""")
    assert ids[0] == ids[1] == ids[2] != ids[3] == ids[4]


async def test_a_session_id_of_the_shop_is_taken(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(sessionId="s-of-the-shop"))
    await page.evaluate("endcap.search('tea')")
    assert [row["session_id"] for row in await visitor.until_stored(1)] == ["s-of-the-shop"]


async def test_a_page_from_the_browsers_cache_is_viewed_again_once(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(script="endcap.productView('tea', {surface: 'product'})"))
    (first,) = await visitor.until_stored(1, "product_view")
    await page.evaluate(
        "() => { window.isSame = true; addEventListener('pageshow', (event) => { window.cameFromCache = event.persisted }) }"
    )
    await page.goto(f"{visitor.shop.address}/elsewhere")
    await page.evaluate("() => { setTimeout(() => history.back()) }")
    _, second = await visitor.until_stored(2, "product_view")
    assert await page.evaluate("[window.isSame, window.cameFromCache]") == [True, True]
    await page.evaluate("endcap.flush()")
    views = visitor.stored("product_view")
    assert [row["event_id"] for row in views] == [first["event_id"], await page.evaluate("endcap.pageViewId")]
    assert second["item_id"] == "tea"
    assert second["surface"] == "product"


async def test_the_time_in_front_is_counted_up_to_each_time_that_a_page_is_hidden(visitor: Visitor) -> None:
    script = """
        let isHidden = false;
        Object.defineProperty(document, "hidden", {get: () => isHidden});
        window.hide = (hidden) => { isHidden = hidden; document.dispatchEvent(new Event("visibilitychange")) };
    """
    page = await visitor.open(visitor.put_up(script=script))
    dwells = await page.evaluate("""async () => {
        endcap.close();
        const {EndcapClient} = await import("/src/endcap.js");
        let now = Date.now();
        const got = [];
        class Client extends EndcapClient { track(kind, fields) { got.push([kind, fields?.item_id, fields?.dwell_ms]); return "id" } }
        const client = new Client({endpoint: "/collect", now: () => now, watchSeen: false});
        const pass = (seconds) => { now += seconds * 1000 };
        client.productView("tea"); pass(7); hide(true); pass(100); hide(false); pass(3); client.productView("cup"); pass(2);
        client.pageView(); pass(50); hide(true);
        return got.filter(([kind]) => kind === "dwell");
    }""")
    assert dwells == [["dwell", "tea", 7_000], ["dwell", "tea", 3_000], ["dwell", "cup", 2_000]]


async def test_the_time_on_a_product_page_is_stored_when_it_is_left(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS, script="endcap.productView('tea')"))
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")
    (dwell,) = await visitor.until_stored(1, "dwell")
    assert dwell["item_id"] == "tea"
    assert dwell["dwell_ms"] > 0

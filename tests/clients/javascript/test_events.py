"""What the helpers send is what the contract takes."""

import json
from uuid import UUID

import pytest

from endcap.contracts.event_type import EventType
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from tests.clients.javascript.visitor import NEVER_MS, Visitor

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]

LIST = {"request_id": "r-5f2c", "position": 3}
PRICE = {"unit_price": 4.5, "currency": "EUR"}
CALLS = {
    EventType.PAGE_VIEW: ("pageView", [{"surface": "home"}], {"surface": "home"}),
    EventType.PRODUCT_VIEW: ("productView", ["tea", LIST], {"item_id": "tea", **LIST}),
    EventType.ADD_TO_CART: ("addToCart", ["tea", {"quantity": 2, **PRICE}], {"item_id": "tea", "quantity": 2, **PRICE}),
    EventType.REMOVE_FROM_CART: ("removeFromCart", ["tea", {"quantity": 1}], {"item_id": "tea", "quantity": 1}),
    EventType.ADD_TO_WISH_LIST: ("addToWishList", ["tea"], {"item_id": "tea"}),
    EventType.REMOVE_FROM_WISH_LIST: ("removeFromWishList", ["tea"], {"item_id": "tea"}),
    EventType.SEARCH: ("search", ["grüner Tee"], {"query": "grüner Tee"}),
    EventType.SEARCH_RESULT: ("searchResult", ["tea", "cup", {"position": 1}], {"query": "tea", "item_id": "cup", "position": 1}),
    EventType.FILTER: ("filter", ["brand:Leaf & Co", {"surface": "category"}], {"query": "brand:Leaf & Co", "surface": "category"}),
    EventType.SEEN_IMPRESSION: ("seen", ["tea", "r-5f2c", 3], {"item_id": "tea", **LIST}),
    EventType.CLICK: ("click", ["tea", LIST], {"item_id": "tea", **LIST}),
    EventType.DWELL: ("dwell", [12_500, {"item_id": "cup"}], {"item_id": "cup", "dwell_ms": 12_500}),
    EventType.CUSTOM: ("custom", ["size_guide_opened", {"table": "shoes"}], {"custom_type": "size_guide_opened"}),
}
"""By type: the helper, what it is called with, and what is stored."""


def test_there_is_a_helper_for_each_type_that_a_page_sends() -> None:
    assert set(CALLS) == TYPES_OF_SCOPE[Scope.BROWSER]


async def test_every_helpers_event_is_stored_as_it_was_said(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(measureDwell=False))
    calls = "".join(f"endcap.{name}(...{json.dumps(arguments)});" for name, arguments, _ in CALLS.values())
    await page.evaluate(f"() => {{ endcap.identify('u-1007'); {calls} }}")
    stored = {row["event_type"]: row for row in await visitor.until_stored(len(CALLS))}
    assert await page.evaluate("window.refused") == []
    visit = {"session_id": await page.evaluate("endcap.sessionId"), "user_id": "u-1007", "consent": True, "consent_analytics": True}
    for kind, (_, _, fields) in CALLS.items():
        assert fields.items() | visit.items() <= stored[kind].items(), kind
        assert "sent_at" in stored[kind]
    assert json.loads(stored[EventType.CUSTOM]["properties"]) == {"table": "shoes"}
    assert stored[EventType.PRODUCT_VIEW]["event_id"] == await page.evaluate("endcap.pageViewId")


async def test_a_customer_who_logs_out_is_no_longer_named(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up())
    await page.evaluate("() => { endcap.identify('u-1'); endcap.search('a'); endcap.identify(null); endcap.search('b') }")
    stored = {row["query"]: row.get("user_id") for row in await visitor.until_stored(2)}
    assert stored == {"a": "u-1", "b": None}


async def test_consent_is_in_every_event_as_it_was_when_it_happened(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(consent={}, flushMs=NEVER_MS))
    await page.evaluate("""async () => {
        endcap.identify('u-1'); endcap.search('none');
        endcap.setConsent({analytics: true}); endcap.search('analytics');
        endcap.setConsent({analytics: true, personalisation: true}); endcap.search('both');
        await endcap.flush();
    }""")
    stored = {row["query"]: (row["consent"], row["consent_analytics"], row.get("user_id")) for row in await visitor.until_stored(3)}
    assert stored == {"none": (False, False, None), "analytics": (False, True, "u-1"), "both": (True, True, "u-1")}


async def test_nothing_is_kept_on_the_device_without_consent_to_analytics(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    await page.evaluate("endcap.search('tea')")
    assert await page.evaluate("Object.keys(localStorage).length") == 2
    await page.evaluate("() => { endcap.setConsent({personalisation: true}); endcap.search('cup') }")
    assert await page.evaluate("Object.keys(localStorage).length") == 0
    await page.evaluate("endcap.flush()")
    assert len(visitor.stored()) == 2


async def test_a_refused_event_is_reported_and_the_others_are_stored(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(flushMs=NEVER_MS))
    await page.evaluate("() => { endcap.track('purchase', {item_id: 'tea', quantity: 1}); endcap.search('tea') }")
    await page.evaluate("endcap.flush()")
    (refused,) = await page.evaluate("window.refused")
    assert (refused[0]["event_type"], refused[1]["field"]) == ("purchase", "event_type")
    assert [row["event_type"] for row in visitor.stored()] == ["search"]
    assert await page.evaluate("endcap.waiting") == 0


async def test_a_key_that_does_not_hold_is_reported_and_not_tried_again(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(key="wrong", flushMs=NEVER_MS))
    await page.evaluate("() => { endcap.search('tea'); return endcap.flush() }")
    ((_, refusal),) = await page.evaluate("window.refused")
    assert refusal["kind"] == "request"
    assert "no key that holds" in refusal["reason"]
    assert await page.evaluate("endcap.waiting") == 0


async def test_a_page_without_https_makes_ids_of_its_own(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up())
    await page.evaluate("() => { crypto.randomUUID = undefined; endcap.search('tea') }")
    (row,) = await visitor.until_stored(1)
    assert UUID(row["event_id"]).version == 4


async def test_a_client_without_an_endpoint_says_what_is_missing(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up())
    said = await page.evaluate(
        "import('/src/endcap.js').then(({EndcapClient}) => { try { new EndcapClient({}) } catch (e) { return e.message } })"
    )
    assert said == "endpoint: is missing; give the address of the collector's /v1/events"

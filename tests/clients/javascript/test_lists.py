"""Items of lists that are seen and clicked."""

import pytest

from tests.clients.javascript.visitor import NEVER_MS, Visitor

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]

STYLE = "<style>body{margin:0} .item{display:block;height:200px;width:200px} .space{height:3000px}</style>"


def item(item_id: str, position: int, request_id: str = "r-1") -> str:
    place = f'data-endcap-item="{item_id}" data-endcap-request="{request_id}" data-endcap-position="{position}"'
    return f'<a class="item" href="#{item_id}" {place} data-endcap-surface="home">{item_id}</a>'


TWO_IN_VIEW = f"{STYLE}{item('tea', 1)}{item('cup', 2)}<div class='space'></div>{item('pot', 3)}"
HALF_A_SECOND_LATER = "() => { const now = Date.now; Date.now = () => now() + 501 }"


def place(row: dict[str, object]) -> tuple[object, ...]:
    return row["item_id"], row["request_id"], row["position"], row["surface"]


async def test_items_that_are_in_view_for_a_second_are_seen_once(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=TWO_IN_VIEW))
    first = await visitor.until_stored(2, "seen_impression")
    assert sorted(map(place, first)) == [("cup", "r-1", 2, "home"), ("tea", "r-1", 1, "home")]
    await page.evaluate("document.querySelector('[data-endcap-item=pot]').scrollIntoView()")
    await visitor.until_stored(3, "seen_impression")
    await page.evaluate("scrollTo(0, 0)")
    # A list that comes later is seen after the first has been in view again.
    await page.evaluate("(html) => document.body.insertAdjacentHTML('afterbegin', html)", item("tea", 1, "r-2"))
    stored = await visitor.until_stored(4, "seen_impression")
    assert [place(row) for row in stored[2:]] == [("pot", "r-1", 3, "home"), ("tea", "r-2", 1, "home")]


async def test_a_list_that_changes_in_its_place_is_seen_anew(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=STYLE + f"<div data-endcap-request='r-1'>{_of_list('tea')}</div>"))
    await visitor.until_stored(1, "seen_impression")
    await page.evaluate("document.querySelector('[data-endcap-request]').dataset.endcapRequest = 'r-2'")
    stored = await visitor.until_stored(2, "seen_impression")
    assert [(row["item_id"], row["request_id"]) for row in stored] == [("tea", "r-1"), ("tea", "r-2")]


def _of_list(item_id: str) -> str:
    return f'<a class="item" href="#" data-endcap-item="{item_id}" data-endcap-position="1">{item_id}</a>'


async def test_what_is_in_view_for_less_than_a_second_or_by_less_than_half_is_not_seen(visitor: Visitor) -> None:
    space = "<div class='space'></div>"
    body = f"{STYLE}{space}{item('tea', 1)}{space}{item('pot', 2)}{space}"
    address = visitor.put_up(body=body, flushMs=NEVER_MS)
    page = await visitor.context.new_page()
    await page.clock.install()
    await page.goto(address)
    await page.wait_for_function("window.endcap")
    await page.clock.pause_at("2030-01-01")
    looked = (
        "() => new Promise((done) => { const o = new IntersectionObserver(() => { o.disconnect(); done() }); o.observe(document.body) })"
    )
    await page.evaluate("scrollTo(0, document.querySelector('[data-endcap-item=tea]').offsetTop + 101)")
    await page.evaluate(looked)
    await page.clock.run_for(5_000)
    await page.evaluate("document.querySelector('[data-endcap-item=pot]').scrollIntoView()")
    await page.evaluate(looked)
    await page.clock.run_for(900)
    await page.evaluate("scrollTo(0, 1500)")
    await page.evaluate(looked)
    await page.clock.run_for(5_000)
    assert await page.evaluate("endcap.waiting") == 0
    await page.evaluate("document.querySelector('[data-endcap-item=pot]').scrollIntoView()")
    await page.evaluate(looked)
    await page.clock.run_for(1_000)
    assert await page.evaluate("endcap.waiting") == 1


async def test_an_item_without_a_request_or_position_is_clicked_and_not_seen(visitor: Visitor) -> None:
    body = f"{STYLE}<a class='item' href='#' data-endcap-item='tea'>tea</a>{item('cup', 1)}"
    page = await visitor.open(visitor.put_up(body=body))
    await page.click("text=tea")
    await visitor.until_stored(1, "seen_impression")
    assert {(row["event_type"], row["item_id"]) for row in visitor.stored()} == {("click", "tea"), ("seen_impression", "cup")}


async def test_a_click_within_an_item_says_its_place(visitor: Visitor) -> None:
    body = f"{STYLE}<div {_attributes()}><img alt='tea'><button>Look</button></div><button>Other</button>"
    page = await visitor.open(visitor.put_up(body=body, watchSeen=False))
    await page.click("text=Other")
    await page.click("text=Look")
    assert [place(row) for row in await visitor.until_stored(1)] == [("tea", "r-1", 4, "home")]


def _attributes() -> str:
    return 'data-endcap-item="tea" data-endcap-request="r-1" data-endcap-position="4" data-endcap-surface="home"'


async def test_a_double_click_is_one_click(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=STYLE + item("tea", 1) + item("cup", 2), watchSeen=False))
    await page.dblclick("text=tea")
    await page.click("text=cup")
    await page.evaluate("endcap.flush()")
    assert [row["item_id"] for row in visitor.stored("click")] == ["tea", "cup"]


async def test_a_second_click_after_a_while_is_a_second_click(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=STYLE + item("tea", 1), watchSeen=False))
    await page.click("text=tea")
    await page.evaluate(HALF_A_SECOND_LATER)
    await page.click("text=tea")
    assert len(await visitor.until_stored(2, "click")) == 2


async def test_a_click_that_opens_a_tab_is_a_click_and_one_for_the_menu_is_none(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=STYLE + item("tea", 1) + item("cup", 2), watchSeen=False))
    await page.click("text=cup", button="right")
    await page.click("text=tea", button="middle")
    assert [row["item_id"] for row in await visitor.until_stored(1)] == ["tea"]


async def test_a_click_on_a_link_that_leaves_the_page_arrives(visitor: Visitor) -> None:
    link = item("tea", 1).replace('href="#tea"', f'href="{visitor.shop.other_origin}/elsewhere"')
    page = await visitor.open(visitor.put_up(body=STYLE + link, flushMs=NEVER_MS, watchSeen=False))
    await page.click("text=tea")
    await page.wait_for_url("**/elsewhere")
    assert [place(row) for row in await visitor.until_stored(1)] == [("tea", "r-1", 1, "home")]


async def test_lists_that_the_shop_watches_itself_are_left_to_it(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=STYLE + item("tea", 1), watchSeen=False, watchClicks=False))
    await page.click("text=tea")
    await page.evaluate("() => { endcap.seen('tea', 'r-1', 1); return endcap.flush() }")
    assert [row["event_type"] for row in visitor.stored()] == ["seen_impression"]


async def test_a_closed_client_watches_no_more(visitor: Visitor) -> None:
    page = await visitor.open(visitor.put_up(body=STYLE + item("tea", 1), watchSeen=False))
    await page.evaluate("() => { endcap.search('last'); endcap.close() }")
    await page.click("text=tea")
    await visitor.until_stored(1)
    assert await page.evaluate("endcap.waiting") == 1  # a beacon has no answer
    assert [row["event_type"] for row in visitor.stored()] == ["search"]

"""The page that docs/clients.md shows, in a browser."""

import pytest

from tests.clients.javascript.visitor import Visitor
from tests.clients.keyed_collector import BROWSER_KEY
from tests.docs.page import blocks
from tests.waiting import POLL_S, until_async

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]


async def test_the_first_event_of_a_page_is_stored(visitor: Visitor) -> None:
    (shown,) = [block for block in blocks("clients.md") if block.name == "first.html"]
    text = shown.text.replace("https://events.shop.example/v1/events", visitor.collector.endpoint).replace("BROWSER_KEY", BROWSER_KEY)
    visitor.shop.pages["/first"] = text.replace("u-1007", visitor.mark)
    page = await visitor.context.new_page()
    await page.goto(f"{visitor.shop.address}/first")
    await page.goto(f"{visitor.shop.other_origin}/elsewhere")

    def stored() -> set[tuple[str, str]]:
        rows = visitor.collector.stored().to_dicts()
        return {(row["event_type"], row["item_id"]) for row in rows if row["user_id"] == visitor.mark}

    await until_async(lambda: ("product_view", "tea-0042") in stored(), "the first event", every_s=POLL_S)

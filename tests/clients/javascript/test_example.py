"""The example page, as it lies in the repository."""

import pytest

from tests.clients.javascript.shop import OWN_PATH
from tests.clients.javascript.visitor import Visitor
from tests.clients.keyed_collector import BROWSER_KEY
from tests.waiting import POLL_S, until_async

pytestmark = [pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]


async def test_the_example_sends_what_a_visitor_does(visitor: Visitor) -> None:
    page = await visitor.context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(f"{visitor.shop.address}/example/index.html?endpoint={OWN_PATH}&key={BROWSER_KEY}")
    await page.check("#consent")
    await page.fill("#query", "oolong")
    await page.click("#search")
    await page.click("text=Green tea")
    await page.click("li:nth-child(2) button")
    session = await page.evaluate("JSON.parse(localStorage['endcap:session']).id")
    await page.close(run_before_unload=True)

    def mine() -> list[dict[str, object]]:
        return [row for row in visitor.collector.stored().to_dicts() if row["session_id"] == session]

    expected = {("search", None), ("click", "tea-0042"), ("add_to_cart", "cup-0007"), ("click", "cup-0007")}
    await until_async(lambda: {(row["event_type"], row["item_id"]) for row in mine()} >= expected, "the visitor's events", every_s=POLL_S)
    assert all(row["consent"] and row["channel"] == "web" for row in mine())
    assert faults == []

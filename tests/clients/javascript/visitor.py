"""One person's browser: pages of the shop in it, and what the collector has of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.clients.javascript.shop import Shop
from tests.clients.keyed_collector import BROWSER_KEY, KeyedCollector
from tests.waiting import POLL_S, until_async

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

NEVER_MS = 3_600_000
"""A pause after which no test is still there."""


@dataclass
class Visitor:
    """A context of the browser, whose storage is empty at first.

    Attributes:
        mark: in `store_id` of all its events.
    """

    context: "BrowserContext"
    shop: Shop
    collector: KeyedCollector
    mark: str

    def options(self, **chosen: Any) -> dict[str, Any]:
        """Options of a client that sends at once to the collector, another origin."""
        return {
            "endpoint": self.collector.endpoint,
            "key": BROWSER_KEY,
            "consent": {"personalisation": True, "analytics": True},
            "context": {"store_id": self.mark},
            "flushMs": 10,
            "retryMs": 50,
            "retryMostMs": 200,
            **chosen,
        }

    def put_up(self, path: str = "/shop", body: str = "", script: str = "", **chosen: Any) -> str:
        """A page of the shop; its address."""
        return self.shop.page(f"/{self.mark}{path}", self.options(**chosen), body, script)

    async def open(self, address: str) -> "Page":
        """A new tab with a page whose client is there."""
        page = await self.context.new_page()
        await page.goto(address)
        await page.wait_for_function("window.endcap")
        return page

    def stored(self, event_type: str | None = None) -> list[dict[str, Any]]:
        """This person's events in the collector's log, without fields that say nothing."""
        rows = self.collector.stored(self.mark).to_dicts()
        said = [{name: value for name, value in row.items() if value is not None} for row in rows]
        return [row for row in said if event_type in (None, row["event_type"])]

    async def until_stored(self, count: int, event_type: str | None = None) -> list[dict[str, Any]]:
        """The events, once there are so many."""

        def arrived() -> int:
            return sum(event_type in (None, line["event_type"]) for line in self.collector.lines(self.mark))

        await until_async(lambda: arrived() >= count, f"{count} events in the log", every_s=POLL_S)
        return self.stored(event_type)

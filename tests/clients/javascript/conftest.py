"""A browser, a shop and a collector, started once; each test has a visitor of its own."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.clients.javascript.shop import Shop, running_shop
from tests.clients.javascript.visitor import Visitor
from tests.clients.keyed_collector import KeyedCollector, keyed_collector
from tests.debian_programs import required_program

BROWSER_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""Without a sandbox, which needs a kernel's leave that containers lack; and without calls to its maker."""


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    with running_shop() as running:
        yield running


@pytest.fixture(scope="session")
def running_collector(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyedCollector]:
    with keyed_collector(tmp_path_factory.mktemp("pages") / "home", [shop.address]) as running:
        shop.collector = running.endpoint
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[object]:
    """Debian's Chromium, driven by Playwright; the test is skipped where either is missing."""
    playwright = pytest.importorskip("playwright.async_api", reason="Playwright for Python is not installed")
    chromium = required_program("chromium")
    async with playwright.async_playwright() as driver:
        launched = await driver.chromium.launch(
            executable_path=chromium.path,
            env=chromium.environment(),
            args=list(BROWSER_OPTIONS),
            # A page that comes back from the browser's cache is one of the cases.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser, shop: Shop, running_collector: KeyedCollector) -> AsyncIterator[Visitor]:
    context = await browser.new_context()
    for of_the_test_before in (shop.instead, shop.received, shop.asked):
        of_the_test_before.clear()
    yield Visitor(context, shop, running_collector, f"m-{uuid4()}")
    await context.close()

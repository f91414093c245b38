"""The demo's visit, against a real collector."""

import io
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from endcap.contracts.answer import Answer, Recommendation
from endcap.core.errors import DependencyUnavailable
from endcap.demo.clicked_visit import click_and_ask, print_clicked_visit
from endcap.events.log.reader import read_events
from tests.services.collector.collector_process import CollectorProcess

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop") / "home"


@pytest.fixture(scope="module")
def collector(home: Path) -> Iterator[httpx.Client]:
    process = CollectorProcess(home)
    with httpx.Client(base_url=process.address, trust_env=False) as client:
        yield client
    process.end(signal.SIGTERM)


def answer(*titles: str, source: str = "popular", propensity: float = 1.0) -> Answer:
    listed = [
        Recommendation(item_id=title, score=1.0, source=source, reason=f"About {title}", position=place, title=title, propensity=propensity)
        for place, title in enumerate(titles, start=1)
    ]
    return Answer(recommendations=listed, request_id="r", bundle="b", variant="default", degraded=[], ignored=[], timings_ms={"total": 1.0})


def test_what_was_looked_at_is_stored_and_the_first_list_that_follows_from_it_is_the_one_after(home: Path, collector: httpx.Client) -> None:
    explored = answer("eggs", source="content", propensity=0.1)
    lists = iter([answer("milk"), answer("milk"), answer("cheese"), explored, answer("bread", source="item_to_item")])
    visit = click_and_ask(lambda _: next(lists), collector, ["i1", "i2"])
    seen = read_events(home / "events").collect().filter(session_id=visit.session_id)
    assert seen["item_id"].to_list() == ["i1", "i2"]
    assert seen["event_type"].unique().to_list() == ["product_view"]
    assert (visit.before.recommendations[0].title, visit.after.recommendations[0].title) == ("milk", "bread")
    assert visit.changed_ms > 0


def test_each_visit_is_one_that_nobody_knows_yet(collector: httpx.Client) -> None:
    def visit() -> str:
        lists = iter([answer("milk"), answer("bread", source="item_to_item")])
        return click_and_ask(lambda _: next(lists), collector, ["i1"]).session_id

    assert visit() != visit()


def test_an_event_that_is_not_taken_ends_the_demo(collector: httpx.Client) -> None:
    with pytest.raises(DependencyUnavailable, match="did not take"):
        click_and_ask(lambda _: answer("milk"), collector, ["x" * 129])


def test_both_lists_stand_side_by_side(collector: httpx.Client) -> None:
    lists = iter([answer("milk", "eggs"), answer("bread", "butter", source="item_to_item")])
    visit = click_and_ask(lambda _: next(lists), collector, ["i1"])
    console = Console(file=io.StringIO(), width=120)
    print_clicked_visit(console, visit, ["Toast"])
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    assert "looks at Toast" in printed
    assert " ms after" in printed
    (first,) = [line for line in printed.splitlines() if "milk" in line]
    assert first.index("milk") < first.index("bread") < first.index("About bread")

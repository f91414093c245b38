"""The rule file changes under a transformer: good files take effect, broken ones do not, and nothing else stops."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import InvalidInput
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap_transformer.live.rule_watch import AGE_SECONDS, RuleFileWatch, RulesInForce, watch_rules
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.transformers.two_items import two_items

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
GOOD = "version: 1\nrevision: 1\nrules:\n  - {id: a, where: price < 2, exclude: true}\n"
BETTER = GOOD.replace("revision: 1", "revision: 2").replace("price < 2", "price < 3")
BROKEN = GOOD.replace("price < 2", "prize < 2")


def table(price: float) -> ItemTable:
    return two_items(price, 9.0, NOW - timedelta(days=10))


class Shelf:
    """What a transformer holds."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rules.yaml"
        self.now = NOW
        self.items = table(1.0)
        self.swap_to: ItemTable | None = None
        self.registry = CollectorRegistry()
        self.watch = RuleFileWatch(self.file, self.current, self.take, ServingMetrics(self.registry), pause=self.between)
        self.book = RuleBook.compile(RuleFile(version=1), self.items, self.clock)

    def clock(self) -> datetime:
        return self.now

    def current(self) -> RulesInForce | None:
        return RulesInForce(self.book, self.items, self.clock)

    def take(self, book: RuleBook) -> None:
        self.book = book

    def between(self) -> None:
        """Another catalogue may come while a book is compiled."""
        if self.swap_to is not None:
            self.items, self.swap_to = self.swap_to, None

    def write(self, text: str) -> None:
        aside = self.file.with_suffix(".new")
        aside.write_text(text)
        aside.rename(self.file)

    def hidden(self) -> list[bool]:
        mask = self.book.excluded(self.book.active(RuleContext("home", (), self.now)))
        return [] if mask is None else mask[1:].tolist()

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_a_changed_file_takes_effect_and_one_that_is_gone_means_no_rules(shelf: Shelf) -> None:
    assert await shelf.watch.look() is None and shelf.hidden() == []
    shelf.write(GOOD)
    assert await shelf.watch.look() is shelf.book
    assert shelf.hidden() == [True, False] and shelf.book.version.startswith("1-")
    assert await shelf.watch.look() is None, "nothing changed"
    shelf.write(BETTER)
    await shelf.watch.look()
    assert shelf.book.version.startswith("2-")
    shelf.file.unlink()
    await shelf.watch.look()
    assert shelf.book.version == "none" and shelf.hidden() == []
    assert shelf.count("endcap_rule_reloads_total", outcome="loaded") == 2


async def test_a_broken_file_is_refused_once_and_the_last_good_one_stays(shelf: Shelf) -> None:
    shelf.write(GOOD)
    await shelf.watch.look()
    good = shelf.book
    shelf.write(BROKEN)
    with capture_logs() as lines:
        for _ in range(5):
            assert await shelf.watch.look() is None
    assert shelf.book is good
    assert [line["event"] for line in lines] == ["rule file refused; the earlier rules stay"]
    assert "rule a (line 4)" in lines[0]["cause"] and "did you mean `price`?" in lines[0]["cause"]
    assert shelf.count("endcap_rule_file_ok") == 0 and shelf.count("endcap_rule_reloads_total", outcome="refused") == 1
    shelf.write(BETTER)
    await shelf.watch.look()
    assert shelf.book.version.startswith("2-") and shelf.count("endcap_rule_file_ok") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"version: 1\nrules: [", b"", b"[" * 100_000])
async def test_any_rubbish_is_refused(shelf: Shelf, content: bytes) -> None:
    shelf.write(GOOD)
    await shelf.watch.look()
    shelf.file.write_bytes(content)
    assert await shelf.watch.look() is None
    assert shelf.hidden() == [True, False]


def test_a_bundle_that_is_loaded_gets_the_last_good_file(shelf: Shelf) -> None:
    shelf.write(GOOD)
    assert shelf.watch.rules().file.revision == 1
    shelf.write(BROKEN)
    assert shelf.watch.rules().file.revision == 1


def test_a_file_that_is_broken_at_the_start_means_no_rules_and_says_so(shelf: Shelf) -> None:
    shelf.write(BROKEN)
    assert shelf.watch.rules().file.rules == []
    assert shelf.count("endcap_rule_file_ok") == 0


async def test_a_bundle_that_came_with_older_rules_gets_the_present_ones(shelf: Shelf) -> None:
    shelf.write(GOOD)
    await shelf.watch.look()
    shelf.book = RuleBook.compile(RuleFile(version=1), shelf.items, shelf.clock)
    await shelf.watch.look()
    assert shelf.hidden() == [True, False]


async def test_a_book_for_a_catalogue_that_is_gone_never_takes_effect(shelf: Shelf) -> None:
    shelf.write(GOOD)
    shelf.swap_to = table(5.0)
    assert await shelf.watch.look() is None and shelf.book.rules == ()
    await shelf.watch.look()
    assert shelf.hidden() == [False, False], "the next look compiles for the new prices"


async def test_rules_about_age_are_worked_out_anew_as_time_goes(shelf: Shelf) -> None:
    shelf.write(GOOD.replace("price < 2", "age_days >= 11"))
    await shelf.watch.look()
    assert shelf.hidden() == [False, False]
    shelf.now += timedelta(days=1)
    assert await shelf.watch.look() is not None
    assert shelf.hidden() == [True, True]
    shelf.now += timedelta(seconds=AGE_SECONDS - 1)
    assert await shelf.watch.look() is None


async def test_the_loop_goes_on_while_a_book_is_compiled(shelf: Shelf) -> None:
    shelf.write(GOOD)
    turns: list[int] = []
    loop = asyncio.get_running_loop()

    def pause() -> None:
        """The compiling thread waits here until the event loop has taken a turn."""
        asyncio.run_coroutine_threadsafe(turn(), loop).result(timeout=30)

    async def turn() -> None:
        turns.append(len(turns))

    watch = RuleFileWatch(shelf.file, shelf.current, shelf.take, ServingMetrics(CollectorRegistry()), pause=pause)
    await watch.look()
    assert turns and shelf.hidden() == [True, False]


async def test_watching_survives_whatever_a_look_raises(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def look() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("anything")
        raise asyncio.CancelledError

    monkeypatch.setattr(shelf.watch, "look", look)
    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await watch_rules(shelf.watch, look_s=0)
    assert len(looks) == 2 and "anything" in lines[0]["cause"]


async def test_nothing_is_compiled_before_a_bundle_answers(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(GOOD)
    taken: list[RuleBook] = []
    watch = RuleFileWatch(tmp_path / "rules.yaml", lambda: None, taken.append, ServingMetrics(CollectorRegistry()))
    assert await watch.look() is None and not taken


async def test_a_file_that_cannot_be_looked_at_is_refused_and_does_not_mean_no_rules(shelf: Shelf) -> None:
    shelf.write(GOOD)
    await shelf.watch.look()
    shelf.file.unlink()
    shelf.file.symlink_to(shelf.file)
    for _ in range(3):
        assert await shelf.watch.look() is None
    assert shelf.hidden() == [True, False]
    assert shelf.count("endcap_rule_reloads_total", outcome="refused") == 1


async def test_rules_that_do_not_fit_the_catalogue_are_refused_once_and_the_earlier_ones_stay(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> RuleBook:
        raise InvalidInput("does not fit the catalogue", field="rules[0]")

    shelf.write(GOOD)
    await shelf.watch.look()
    shelf.write(BETTER)
    with monkeypatch.context() as unfit:
        unfit.setattr("endcap_transformer.live.rule_watch.RuleBook.compile", refused)
        assert await shelf.watch.look() is None
    assert await shelf.watch.look() is None and shelf.hidden() == [True, False]
    assert shelf.count("endcap_rule_reloads_total", outcome="refused") == 1

"""The merchandisers' rule file while bundles are served: a changed file is compiled beside the requests and takes effect at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from endcap.catalogue.item_table import ItemTable
from endcap.core.clock import Clock
from endcap.core.errors import EndcapError
from endcap.core.log import get_logger
from endcap.engine.rules.enabled_rules import EnabledRules
from endcap.engine.rules.file.rule_file import NO_RULES, read_rules
from endcap.engine.rules.rule_book import RuleBook
from endcap_transformer.live.file_watch import LOOK_SECONDS, Identity, identity, watch_file, yield_to_requests
from endcap_transformer.telemetry.metrics import ServingMetrics

AGE_SECONDS = 3_600
"""How old the ages may be that rules about `age_days` go by; they count whole days."""


@dataclass(frozen=True)
class RulesInForce:
    """The rules that answer, the catalogue they are to hold for, and its clock."""

    book: RuleBook
    items: ItemTable
    clock: Clock


class RuleFileWatch:
    """Keeps the rules as the file says. A file that cannot be used is refused, and the rules stay as they are; no file means no rules.

    Args:
        path: the rule file.
        current: what answers, None while nothing does.
        on_book: takes a new book; called in the event loop, and only while the catalogue is the one that it was made for.
        metrics: where outcomes are counted.
        pause: lets the thread of the requests go first.
    """

    def __init__(
        self,
        path: Path,
        current: Callable[[], RulesInForce | None],
        on_book: Callable[[RuleBook], None],
        metrics: ServingMetrics,
        pause: Callable[[], None] = yield_to_requests,
    ) -> None:
        self.path = path
        self._current = current
        self._on_book = on_book
        self._metrics = metrics
        self._pause = pause
        self._log = get_logger("rules")
        self._seen: Identity | None = None
        self._rules: EnabledRules | None = None

    def rules(self) -> EnabledRules:
        """The rules in force, for a bundle that is being loaded; read from the file the first time."""
        if self._rules is None:
            self._seen = identity(self.path)
            self._rules = self._read() or EnabledRules.of(NO_RULES)
        return self._rules

    async def look(self) -> RuleBook | None:
        """Take up the file if it changed since the last look, or the rules anew if time alone changed them.

        Returns:
            The book that took effect, None when there is none.
        """
        seen = await asyncio.to_thread(identity, self.path)
        ruled = self._current()
        if ruled is None:
            return None
        if seen != self._seen:
            read = await asyncio.to_thread(self._read)
            self._seen = seen
            if read is None:
                return None
            self._rules = read
        rules = self.rules()
        if rules.file != ruled.book.file:
            return await self._take(lambda: RuleBook.compile(rules, ruled.items, ruled.clock, self._pause), ruled, is_new=True)
        if ruled.book.reads_age and int(ruled.clock().timestamp()) - ruled.book.as_of_s >= AGE_SECONDS:
            return await self._take(lambda: ruled.book.recompiled(ruled.items, self._pause), ruled, is_new=False)
        return None

    async def _take(self, make: Callable[[], RuleBook], ruled: RulesInForce, *, is_new: bool) -> RuleBook | None:
        try:
            book = await asyncio.to_thread(make)
        except EndcapError as error:
            self._refuse(error)
            self._rules = ruled.book.enabled
            return None
        latest = self._current()
        if latest is None or latest.items is not ruled.items:
            return None  # another catalogue answers by now; the next look compiles for it
        self._on_book(book)
        if is_new:
            self._log.info("rules loaded", version=book.version, rules=len(book.rules), warnings=book.warnings())
        return book

    def _read(self) -> EnabledRules | None:
        """The file with all its conditions read, no rules when there is none, None when it is refused."""
        try:
            is_there = identity(self.path) is not None
            rules = EnabledRules.of(read_rules(self.path) if is_there else NO_RULES)
        except (EndcapError, OSError) as error:
            self._refuse(error)
            return None
        self._metrics.rule_file_ok.set(1)
        self._metrics.rule_reloads.labels("loaded").inc(int(is_there))
        return rules

    def _refuse(self, error: Exception) -> None:
        self._metrics.rule_file_ok.set(0)
        self._metrics.rule_reloads.labels("refused").inc()
        self._log.error("rule file refused; the earlier rules stay", cause=str(error))


async def watch_rules(watch: RuleFileWatch, look_s: float = LOOK_SECONDS) -> None:
    """Keep the rules as the file says; runs until it is cancelled."""
    await watch_file(watch.path, watch.look, look_s)

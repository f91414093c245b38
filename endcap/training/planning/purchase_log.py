"""A dataset's purchases in DuckDB, asked for the counts that decide what can be trained."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from endcap.contracts.event import EventType
from endcap.contracts.signals import PURCHASE_CODE, SIGNAL_TYPES, Signals
from endcap.contracts.training_plan import EligibleBy
from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset
from endcap.features.net_purchases import taken_off_in
from endcap.training.bounded_duckdb import bounded_duckdb
from endcap.training.planning.balance import balanced
from endcap.training.planning.signal_log import SignalLog

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MEMORY_LIMIT = "800MB"
"""Beside what the validation of a dataset before it still holds, this stays under 2 GiB."""
_FIX = "import data with purchases or views of items in the catalogue that may be used for personalisation"


@dataclass(frozen=True)
class Totals:
    """Counts over the whole dataset; purchases are those with consent of items in the catalogue, of which not all was returned.

    `first_signal_at` is of the first purchase, cart, view or rating; the last purchase's time that of the last of these where nothing was
    bought.
    """

    purchases: int
    purchases_without_person: int
    people: int
    visits: int
    items_bought: int
    events: int
    events_without_person: int
    views: int
    first_signal_at: datetime
    last_purchase_at: datetime
    last_event_at: datetime


@dataclass(frozen=True)
class Trainable:
    """The items with `least` buyers before a moment, or with as many people and visits that did anything with them."""

    before: datetime
    least: int
    by: EligibleBy = "purchases"


@dataclass(frozen=True)
class EarlyPurchases:
    """What a two-tower sees: purchases of trainable items before a moment, by known people."""

    purchases: int
    pairs: int
    sequences: int
    """People with two purchases and more; people and visits with two interactions where there are others."""

    @property
    def repeat_share(self) -> float:
        return 1 - self.pairs / self.purchases if self.purchases else 0.0


_BOUGHT = """
    SELECT hash(coalesce('p' || user_id, 'v' || session_id)) AS who, user_id IS NOT NULL AS known, hash(item_id) AS item,
        hash(session_id) AS visit, CAST(floor(epoch_us(occurred_at) / 86400e6) AS INTEGER) AS day, count(*) AS lines
    FROM events SEMI JOIN items USING (item_id) ANTI JOIN taken_off USING (event_id) WHERE event_type = $purchase AND consent GROUP BY ALL
"""
_TABLES = (
    "CREATE TABLE people AS SELECT who, min(day) AS since, max(day) AS until FROM bought WHERE known GROUP BY who",
    "CREATE TABLE visits AS SELECT visit, min(day) AS since, max(day) AS until FROM bought GROUP BY visit",
    "CREATE TABLE pairs AS SELECT who, item, bool_or(known) AS known, min(day) AS since FROM bought GROUP BY who, item",
)
"""What is asked again and again, each worked out once."""
_TRAINABLE = """
    SELECT item FROM (SELECT item, count(*) AS buyers FROM pairs WHERE since < $before GROUP BY item) WHERE buyers >= $least
"""
_EVENTS = """
    SELECT count(*), count(*) FILTER (user_id IS NULL), count(*) FILTER (event_type = $purchase), count(*) FILTER (event_type = $view),
        min(epoch_us(occurred_at)) FILTER (list_contains($signals, event_type)),
        coalesce(max(epoch_us(occurred_at)) FILTER (event_type = $purchase),
            max(epoch_us(occurred_at)) FILTER (list_contains($signals, event_type))),
        max(epoch_us(occurred_at)) FROM events
"""
_PURCHASES = """
    SELECT coalesce(sum(lines), 0)::BIGINT, coalesce(sum(lines) FILTER (NOT known), 0)::BIGINT, (SELECT count(*) FROM people),
        (SELECT count(*) FROM visits), (SELECT count(*) FROM (SELECT item FROM pairs GROUP BY item)) FROM bought
"""
_BUYERS = """
    SELECT buyers, count(*), sum(lines)::BIGINT
    FROM (SELECT item, count(*) AS buyers FROM pairs WHERE since < $before GROUP BY item)
        JOIN (SELECT item, sum(lines) AS lines FROM bought WHERE day < $before GROUP BY item) USING (item)
    GROUP BY buyers
"""
_SIDES = """
    SELECT (SELECT count(*) FROM people WHERE since < $cut), (SELECT count(*) FROM people WHERE until >= $cut),
        (SELECT count(*) FROM visits WHERE since < $cut), (SELECT count(*) FROM visits WHERE until >= $cut)
"""
_PEOPLE_BEFORE = "SELECT count(*) FROM people WHERE since < $moment"
_EXAMPLES = """
    WITH days AS (SELECT DISTINCT who, day FROM bought SEMI JOIN trainable USING (item) WHERE known AND day >= $first),
        moments AS (SELECT unnest($moments::INTEGER[]) AS moment)
    SELECT count(*) FROM (
        SELECT DISTINCT days.who, moment FROM days JOIN moments ON day >= moment AND day < moment + $days
            JOIN people ON people.who = days.who AND since < moment)
"""
_EARLY = """
    SELECT coalesce(sum(lines), 0)::BIGINT, (SELECT count(*) FROM pairs SEMI JOIN trainable USING (item) WHERE known AND since < $before),
        count(*) FILTER (lines >= 2)
    FROM (SELECT sum(lines) AS lines FROM bought SEMI JOIN trainable USING (item) WHERE known AND day < $before GROUP BY who)
"""
_TOGETHER = """
    SELECT (SELECT count(*) FROM (SELECT who FROM pairs SEMI JOIN trainable USING (item) WHERE since < $before
            GROUP BY who HAVING count(*) >= 2)),
        (SELECT count(*) FROM (SELECT visit FROM bought SEMI JOIN trainable USING (item) WHERE day < $before
            GROUP BY visit HAVING min(item) <> max(item)))
"""


class PurchaseLog:
    """Purchases by person, item, visit and day. All moments asked for are midnights, or after the last event.

    Attributes:
        signals: what was done beside them.
    """

    signals: SignalLog

    def __init__(self, dataset: Dataset, signals: Signals) -> None:
        self._dataset, self._asked = dataset, signals
        self._trainable: Trainable | None = None

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            spill = opened.enter_context(tempfile.TemporaryDirectory(prefix="endcap-plan-"))
            self._connection = opened.enter_context(bounded_duckdb(Path(spill), _MEMORY_LIMIT))
            try:
                for table in ("events", "items"):
                    self._connection.read_parquet(str(self._dataset.table(table))).create_view(table)
                self._connection.register("taken_off", taken_off_in(self._dataset.table("events")).moments.to_arrow())
                self._connection.sql(_BOUGHT, params={"purchase": EventType.PURCHASE.value}).create("bought")
                for statement in _TABLES:
                    self._connection.execute(statement)
                self.signals = SignalLog(self._connection, self._asked)
            except duckdb.Error as error:
                message = f"cannot be read: {str(error).splitlines()[0]}"
                raise DataRejected(message, field=str(self._dataset.path), fix="import the dataset again") from error
            self._opened = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def totals(self) -> Totals:
        """Counts over all of it.

        Raises:
            DataRejected: there is no purchase, and nothing else, that could be learned from.
            InvalidInput: there are purchases only, and they are to teach nothing.
        """
        signals = [kind.value for kind in SIGNAL_TYPES]
        types = {"purchase": EventType.PURCHASE.value, "view": EventType.PRODUCT_VIEW.value, "signals": signals}
        events, unknown, bought, views, *moments = self._row(_EVENTS, **types)
        purchases, without, people, visits, items = self._row(_PURCHASES)
        if not purchases and not self.signals.kinds:
            kept = f"none of the {bought:,} purchases has consent and an item of the catalogue, and was not returned"
            why = kept if bought else "there are no purchases, views, carts and ratings of items of the catalogue"
            raise DataRejected(f"{why}, so nothing can be recommended", field=str(self._dataset.table("events")), fix=_FIX)
        if self.signals.is_empty:
            balanced(self._asked, {PURCHASE_CODE: purchases})
        return Totals(purchases, without, people, visits, items, events, unknown, views, *map(_moment, moments))

    def buyers(self, before: datetime, least: Sequence[int]) -> dict[int, tuple[int, float]]:
        """By least number of buyers, the items that had as many before a moment, and their share of the purchases until then.

        A visit of nobody known counts as a buyer.
        """
        counts = self._connection.execute(_BUYERS, {"before": _day(before)}).fetchall()
        total = max(sum(lines for _, _, lines in counts), 1)

        def with_as_many(fewest: int) -> tuple[int, float]:
            kept = [(items, lines) for buyers, items, lines in counts if buyers >= fewest]
            return sum(items for items, _ in kept), sum(lines for _, lines in kept) / total

        return {fewest: with_as_many(fewest) for fewest in least}

    def sides(self, cut: datetime) -> tuple[int, int, int, int]:
        """People before and after a cut, visits before and after it."""
        before, after, visits_before, visits_after = self._row(_SIDES, cut=_day(cut))
        return before, after, visits_before, visits_after

    def people_before(self, moment: datetime) -> int:
        """Known people who had bought before a moment."""
        return int(self._row(_PEOPLE_BEFORE, moment=_day(moment))[0])

    def examples(self, snapshots: Sequence[datetime], days: int, trainable: Trainable) -> int:
        """Pairs of a known person and a moment with a purchase before it and one of a trainable item in the days from it.

        Args:
            snapshots: the moments.
            days: how far to look from each.
            trainable: the items that count.
        """
        moments = [_day(moment) for moment in snapshots]
        if not moments:
            return 0
        self._take(trainable)
        return int(self._row(_EXAMPLES, moments=moments, first=min(moments), days=days)[0])

    def early(self, trainable: Trainable) -> EarlyPurchases:
        """Purchases of the trainable items before they are trained."""
        self._take(trainable)
        early = EarlyPurchases(*self._row(_EARLY, before=_day(trainable.before)))
        return early if self.signals.is_empty else replace(early, sequences=self.signals.sequences(_day(trainable.before)))

    def together(self, trainable: Trainable) -> tuple[int, int]:
        """People (or visits of nobody known), and visits, with two trainable items and more before a moment."""
        self._take(trainable)
        before = _day(trainable.before)
        people, visits = self._row(_TOGETHER, before=before) if self.signals.is_empty else self.signals.together(before)
        return people, visits

    def trainable(self, before: datetime, least: Sequence[int], covered_min: float) -> tuple[Trainable, int]:
        """The items that are trained, and how many: the highest number of buyers that leaves items with enough of the purchases, else the
        lowest. Where these leave out most of what was done, or more people and visits than buyers can be asked for, people and visits that
        did anything count in place of buyers.

        Args:
            before: when.
            least: numbers of buyers, the highest first.
            covered_min: share of the purchases, or of all pairs of somebody and an item, that the items must have.
        """
        buyers = self.buyers(before, least)
        bought = Trainable(before, _first_covering(buyers, covered_min))
        if not self.signals.is_empty:
            people = self.signals.enough(_day(before), least)
            done = Trainable(before, _first_covering(people, covered_min), "interactions")
            self._take(bought)
            if done.least > bought.least or self.signals.covered(_day(before)) < covered_min:
                return done, people[done.least][0]
        return bought, buyers[bought.least][0]

    def next_of(self, trainable: Trainable) -> dict[int, int]:
        """By code, people and visits of whom it was a next thing before the items are trained; empty where there are purchases only."""
        if self.signals.is_empty:
            return {}
        self._take(trainable)
        return self.signals.next_of(_day(trainable.before))

    def visits_from(self, first: datetime, before: datetime) -> int:
        """Visits of two interactions and more that began from a moment on and before another; 0 where there are purchases only."""
        return 0 if self.signals.is_empty else self.signals.visits(_day(first), _day(before))

    def _take(self, wanted: Trainable) -> None:
        """Have the items in the table `trainable`."""
        if self._trainable != wanted:
            self._connection.execute("DROP TABLE IF EXISTS trainable")
            if wanted.by == "purchases":
                self._connection.sql(_TRAINABLE, params={"before": _day(wanted.before), "least": wanted.least}).create("trainable")
            else:
                self.signals.take_trainable(_day(wanted.before), wanted.least)
            self._trainable = wanted

    def _row(self, query: str, **parameters: Any) -> tuple[Any, ...]:
        return next(iter(self._connection.execute(query, parameters or None).fetchall()), ())


def _day(moment: datetime) -> int:
    """Days to a moment, a begun one counted whole."""
    return -(-(moment - _EPOCH) // _DAY)


def _moment(epoch_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=epoch_us)


def _first_covering(items: Mapping[int, tuple[int, float]], covered_min: float) -> int:
    return next((least for least, (_, covered) in items.items() if covered >= covered_min), min(items))

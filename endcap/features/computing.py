"""From a dataset to its feature tables on any engine: the steps in order, each timed and shown."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import ibis
import ibis.expr.types as ir
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from endcap.contracts.signals import SIGNAL_TYPES
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.features.affinity import user_affinity
from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.duckdb_engine import Compute, DuckDbEngine, connect_duckdb
from endcap.features.engine import Engine
from endcap.features.history import user_history
from endcap.features.manifest import FeatureManifest, features_fingerprint
from endcap.features.names import ITEM_FEATURES, USER_FEATURES, USER_ITEM_FEATURES
from endcap.features.net_purchases import taken_off
from endcap.features.signal_parts import SignalParts
from endcap.features.snapshots import FeatureOptions, SnapshotPlan, plan_snapshots
from endcap.features.user import user_categorical

USER_COLUMNS: tuple[str, ...] = (*USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY, *USER_AFFINITY)


@dataclass(frozen=True)
class UserParts:
    """What the user table is put together from: computed once for all snapshots.

    Attributes:
        numeric: `user_id`, `t` and USER_NUMERIC.
        users: the dataset's users.
        touches: item touches.
        category_weights: running weights by category.
        brand_weights: running weights by brand.
        user_weights: running weights of everything.
    """

    numeric: ir.Table
    users: ir.Table
    touches: ir.Table
    category_weights: ir.Table
    brand_weights: ir.Table
    user_weights: ir.Table


def user_table(parts: UserParts, snapshots: ir.Table) -> ir.Table:
    """`user_id`, `event_timestamp`, USER_COLUMNS: users who did anything before the snapshot."""
    rows = parts.numeric.semi_join(snapshots, "t")
    rows = _with(rows, user_categorical(parts.users), ["user_id"])
    for lists in (
        user_history(parts.touches, snapshots),
        user_affinity("category", parts.category_weights, parts.user_weights, snapshots),
        user_affinity("brand", parts.brand_weights, parts.user_weights, snapshots),
    ):
        rows = _with(rows, lists, ["user_id", "t"])
    texts = {name: rows[name].fill_null("") for name in USER_CATEGORICAL}
    lists = {name: rows[name].fill_null(ibis.literal([], type=rows[name].type())) for name in (*USER_HISTORY, *USER_AFFINITY)}
    return _stored(rows.mutate(**texts, **lists), "user_id", USER_COLUMNS, snapshots)


def pair_table(pairs: ir.Table, snapshots: ir.Table) -> ir.Table:
    """`user_id`, `event_timestamp`, PAIR_LISTS."""
    return _stored(pairs, "user_id", PAIR_LISTS, snapshots)


def item_table(numeric: ir.Table, snapshots: ir.Table) -> ir.Table:
    """`item_id`, `event_timestamp`, ITEM_NUMERIC."""
    return _stored(numeric, "item_id", ITEM_NUMERIC, snapshots)


def _with(rows: ir.Table, part: ir.Table, keys: list[str]) -> ir.Table:
    return rows.left_join(part, keys).drop(*(f"{key}_right" for key in keys))


def _stored(rows: ir.Table, entity: str, columns: Sequence[str], snapshots: ir.Table) -> ir.Table:
    """Rows under their snapshot's timestamp, sorted by it and then by entity."""
    timed = rows.inner_join(snapshots.select("t", "event_timestamp"), "t")
    return timed.select(entity, "event_timestamp", *columns).order_by("event_timestamp", entity)


@dataclass(frozen=True)
class FeatureSummary:
    """What a build made. `rows` and `seconds` by table."""

    manifest: FeatureManifest
    rows: dict[str, int]
    columns: dict[str, int]
    seconds: dict[str, float]


def compute_features(engine: Engine, options: FeatureOptions) -> FeatureSummary:
    """Compute all feature tables and have the engine write them. What is refused is refused before anything is written.

    Raises:
        DataRejected: a required table is missing, unreadable or empty, or the time range is too short.
    """
    return _Computation(engine, options).run()


class _Computation:
    def __init__(self, engine: Engine, options: FeatureOptions) -> None:
        self._engine = engine
        self._options = options
        self._rows: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        self._seconds: dict[str, float] = {}

    def run(self) -> FeatureSummary:
        from endcap.features import item, purchases
        from endcap.features.instants import with_instant

        events, items, users, promotions = (self._engine.read(name) for name in ("events", "items", "users", "promotions"))
        events = self._identified(events)
        plan = plan_snapshots(*self._time_range(events), self._options)
        dataset = self._engine.dataset_fingerprint()
        with _progress() as progress:
            steps = progress.add_task("features", total=None)
            everywhen = self._keep("snapshots", with_instant(self._engine.moments(plan.times, plan.data_end)))
            lines = self._keep("lines", purchases.purchase_lines(events, items, promotions, self._taken_off(events)))
            occasions = self._keep("occasions", purchases.purchase_occasions(lines))
            signals = SignalParts.of(self._engine, events, lines, self._options.low_rating)
            count = occasions.count().to_pyarrow().as_py()
            user_batches = _batches(plan.times, self._engine.batches.user_rows, count)
            pair_batches = _batches(plan.pair_times, self._engine.batches.pair_rows, count)
            progress.update(steps, total=len(user_batches) + len(pair_batches) + 3, completed=1)

            def advance() -> None:
                progress.advance(steps)

            parts = self._user_parts(events, users, lines, occasions, signals, everywhen)
            advance()
            self._write(USER_FEATURES, self._user_tables(parts, user_batches, plan), advance)
            self._write(USER_ITEM_FEATURES, self._pair_tables(occasions, signals, pair_batches, plan), advance)
            priced = self._keep("priced_items", item.priced_items(lines, items, everywhen, signals.first_touches()))
            sold = item.item_numeric(priced, lines, occasions, promotions, everywhen)
            self._write(ITEM_FEATURES, iter([item_table(signals.item_numeric(sold, priced, everywhen), everywhen)]), advance)
        return FeatureSummary(self._manifest(plan, dataset), self._rows, self._columns, self._seconds)

    def _identified(self, events: "ir.Table") -> "ir.Table":
        from endcap.features.identified import has_identities, identified

        return self._keep("identified", identified(events)) if has_identities(events) else events

    def _user_parts(  # noqa: PLR0917 - the dataset
        self,
        events: "ir.Table",
        users: "ir.Table",
        lines: "ir.Table",
        occasions: "ir.Table",
        signals: SignalParts,
        snapshots: "ir.Table",
    ) -> "UserParts":
        from endcap.features import affinity, user

        bought = user.user_numeric(lines, occasions, snapshots)
        return UserParts(
            numeric=self._keep("user_numeric", signals.user_numeric(bought, occasions, snapshots)),
            users=users,
            touches=self._keep("touches", self._touches(events, lines)),
            category_weights=self._keep("category_weights", affinity.group_weights(occasions, "category")),
            brand_weights=self._keep("brand_weights", affinity.group_weights(occasions, "brand")),
            user_weights=self._keep("user_weights", affinity.user_weights(occasions)),
        )

    def _touches(self, events: "ir.Table", lines: "ir.Table") -> "ir.Table":
        from endcap.features.history import item_touches

        return item_touches(events, lines, self._options.low_rating, ratings=self._options.ratings)

    def _taken_off(self, events: "ir.Table") -> "ir.Table":
        started = time.perf_counter()
        found = taken_off(events)
        self._add_seconds("taken_off", started)
        if found.returns:
            get_logger("features").info("returns taken off", returns=found.returns, unmatched=found.unmatched)
        return self._engine.load("taken_off", found.versions)

    def _user_tables(self, parts: "UserParts", batches: list[tuple[datetime, ...]], plan: SnapshotPlan) -> Iterator["ir.Table"]:
        from endcap.features.instants import with_instant

        for batch in batches:
            yield user_table(parts, with_instant(self._engine.moments(batch, plan.data_end)))

    def _pair_tables(
        self, occasions: "ir.Table", signals: SignalParts, batches: list[tuple[datetime, ...]], plan: SnapshotPlan
    ) -> Iterator["ir.Table"]:
        from endcap.features import user_item
        from endcap.features.instants import with_instant

        for batch in batches:
            moments = with_instant(self._engine.moments(batch, plan.data_end))
            yield pair_table(signals.user_item(user_item.user_item(occasions, moments), moments), moments)

    def _time_range(self, events: "ir.Table") -> tuple[datetime, datetime]:
        bought = events.filter(events.event_type.isin([kind.value for kind in SIGNAL_TYPES]))
        # As text: Spark hands moments over in the zone of its host, without saying so.
        first = bought.agg(first=bought.occurred_at.min().cast("string"), bought=bought.count())
        row = first.cross_join(events.agg(last=events.occurred_at.max().cast("string")))
        found = row.to_pyarrow().to_pylist()[0]
        if not found["bought"]:
            raise DataRejected("no purchases, carts, views and ratings: features need at least one", field=self._engine.place("events"))
        return _in_utc(found["first"]), _in_utc(found["last"])

    def _keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        started = time.perf_counter()
        table = self._engine.keep(name, expression)
        self._add_seconds(name, started)
        return table

    def _write(self, name: str, expressions: Iterator["ir.Table"], advance: Callable[[], None]) -> None:
        started = time.perf_counter()
        written = self._engine.write(name, _counted(expressions, advance))
        self._rows[name], self._columns[name] = written.rows, written.columns
        self._add_seconds(name, started)
        get_logger("features").info("table written", table=name, rows=written.rows, seconds=self._seconds[name])

    def _add_seconds(self, name: str, started: float) -> None:
        self._seconds[name] = round(time.perf_counter() - started, 3)

    def _manifest(self, plan: SnapshotPlan, dataset: str) -> FeatureManifest:
        return FeatureManifest(
            fingerprint=features_fingerprint(dataset, self._options),
            dataset_fingerprint=dataset,
            first_event_at=plan.first_event_at,
            last_event_at=plan.last_event_at,
            data_end=plan.data_end,
            cut=plan.cut,
            ranking_times=plan.ranking_times,
            pair_times=plan.pair_times,
            snapshot_times=plan.times,
            horizon_days=self._options.horizon_days,
            rows=self._rows,
        )


def _in_utc(moment: str) -> datetime:
    """A moment as engines write it in UTC, with or without the offset."""
    read = datetime.fromisoformat(moment)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def _counted(expressions: Iterator["ir.Table"], advance: Callable[[], None]) -> Iterator["ir.Table"]:
    """Advances when the writer comes for the next one, the last being written."""
    for expression in expressions:
        yield expression
        advance()


def _batches(moments: tuple[datetime, ...], rows_a_batch: int | None, rows_a_moment: int) -> list[tuple[datetime, ...]]:
    size = max(1, rows_a_batch // max(1, rows_a_moment)) if rows_a_batch else len(moments)
    return [moments[start : start + size] for start in range(0, len(moments), size)]


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("[progress.description]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def build_feature_tables(
    dataset_dir: Path, out_dir: Path, options: FeatureOptions | None = None, compute: Compute | None = None
) -> FeatureSummary:
    """Compute all feature tables of a dataset and write them as one folder.

    Writes `user_features.parquet`, `user_item_features.parquet`, `item_features.parquet` and `features.json` aside and then moves them to
    `out_dir`, replacing what is there.

    Raises:
        DataRejected: a required table is missing, unreadable or empty, or the time range is too short.
    """
    with replacing_folder(out_dir) as aside:
        with connect_duckdb(aside / "spill", compute or Compute()) as connection:
            summary = compute_features(DuckDbEngine(connection, dataset_dir, aside), options or FeatureOptions())
        shutil.rmtree(aside / "spill", ignore_errors=True)
        summary.manifest.write(aside)
    get_logger("features").info("features built", cut=summary.manifest.cut.isoformat(), seconds=round(sum(summary.seconds.values()), 1))
    return summary

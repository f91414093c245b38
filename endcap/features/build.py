"""Feature tables from a canonical dataset, computed by the feature expressions on DuckDB."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from endcap.contracts.tables import REQUIRED_TABLES, TABLES, arrow_schema
from endcap.errors import DataRejected
from endcap.features.folder import replace_folder
from endcap.features.manifest import FeatureManifest, dataset_fingerprint, features_fingerprint
from endcap.features.names import ITEM_FEATURES, USER_FEATURES, USER_ITEM_FEATURES
from endcap.features.snapshots import FeatureOptions, SnapshotPlan, plan_snapshots, snapshots_table
from endcap.log import get_logger

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

    from endcap.features.feature_tables import UserParts


USER_ROWS_A_BATCH = 15_000_000
PAIR_ROWS_A_BATCH = 4_000_000
"""Purchases times snapshots that are joined at once: bounds memory."""
ROW_GROUP_ROWS = 20_000


@dataclass(frozen=True)
class Compute:
    """What the computation may take of the machine."""

    memory_limit: str = "2500MB"
    threads: int | None = None


@dataclass(frozen=True)
class FeatureSummary:
    """What a build made. `rows` and `seconds` by table."""

    manifest: FeatureManifest
    rows: dict[str, int]
    columns: dict[str, int]
    seconds: dict[str, float]


def build_feature_tables(
    dataset_dir: Path, out_dir: Path, options: FeatureOptions | None = None, compute: Compute | None = None
) -> FeatureSummary:
    """Compute all feature tables of a dataset and write them as one folder.

    Writes `user_features.parquet`, `user_item_features.parquet`, `item_features.parquet` and `features.json` aside and then moves them to
    `out_dir`, replacing what is there.

    Raises:
        DataRejected: a required table is missing, unreadable or empty, or the time range is too short.
    """
    options = options or FeatureOptions()
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        with _connect(aside / "spill", compute or Compute()) as connection:
            summary = _Build(connection, dataset_dir, aside, options).run()
        shutil.rmtree(aside / "spill", ignore_errors=True)
        summary.manifest.write(aside)
        aside.chmod(0o755)
        replace_folder(aside, out_dir)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    get_logger("features").info("features built", cut=summary.manifest.cut.isoformat(), seconds=round(sum(summary.seconds.values()), 1))
    return summary


@contextmanager
def _connect(spill_dir: Path, compute: Compute) -> Iterator["Backend"]:
    import ibis

    connection = ibis.duckdb.connect()
    try:
        # Time zone: EPOCH of a zoned timestamp follows the session's zone.
        connection.raw_sql("SET TimeZone = 'UTC'")
        connection.raw_sql(f"SET memory_limit = '{compute.memory_limit}'")
        connection.raw_sql(f"SET temp_directory = '{spill_dir}'")
        connection.raw_sql("SET preserve_insertion_order = true")
        if compute.threads:
            connection.raw_sql(f"SET threads = {compute.threads}")
        yield connection
    finally:
        connection.disconnect()


class _Build:
    """One build: the steps in order, each timed and shown."""

    def __init__(self, connection: "Backend", dataset_dir: Path, out_dir: Path, options: FeatureOptions) -> None:
        self._connection = connection
        self._dataset_dir = dataset_dir
        self._out_dir = out_dir
        self._options = options
        self._rows: dict[str, int] = {}
        self._columns: dict[str, int] = {}
        self._seconds: dict[str, float] = {}

    def run(self) -> FeatureSummary:
        from endcap.features import feature_tables, item, purchases, user_item
        from endcap.features.instants import with_instant

        events, items, users, promotions = (self._read(name) for name in ("events", "items", "users", "promotions"))
        plan = plan_snapshots(*self._time_range(events), self._options)
        with _progress() as progress:
            steps = progress.add_task("features", total=None)
            everywhen = self._keep("snapshots", with_instant(self._moments(plan.times, plan)))
            lines = self._keep("lines", purchases.purchase_lines(events, items, promotions))
            occasions = self._keep("occasions", purchases.purchase_occasions(lines))
            count = occasions.count().to_pyarrow().as_py()
            user_batches, pair_batches = _batches(plan.times, USER_ROWS_A_BATCH, count), _batches(plan.pair_times, PAIR_ROWS_A_BATCH, count)
            progress.update(steps, total=len(user_batches) + len(pair_batches) + 3, completed=1)
            parts = self._user_parts(events, users, lines, occasions, everywhen)
            progress.advance(steps)
            with self._writer(USER_FEATURES) as write:
                for batch in user_batches:
                    write(feature_tables.user_table(parts, with_instant(self._moments(batch, plan))))
                    progress.advance(steps)
            with self._writer(USER_ITEM_FEATURES) as write:
                for batch in pair_batches:
                    moments = with_instant(self._moments(batch, plan))
                    write(feature_tables.pair_table(user_item.user_item(occasions, moments), moments))
                    progress.advance(steps)
            priced = self._keep("priced_items", item.priced_items(lines, items, everywhen))
            with self._writer(ITEM_FEATURES) as write:
                write(feature_tables.item_table(item.item_numeric(priced, lines, occasions, promotions, everywhen), everywhen))
            progress.advance(steps)
        return FeatureSummary(self._manifest(plan), self._rows, self._columns, self._seconds)

    def _user_parts(
        self, events: "ir.Table", users: "ir.Table", lines: "ir.Table", occasions: "ir.Table", snapshots: "ir.Table"
    ) -> "UserParts":
        from endcap.features import affinity, feature_tables, history, user

        return feature_tables.UserParts(
            numeric=self._keep("user_numeric", user.user_numeric(lines, occasions, snapshots)),
            users=users,
            touches=self._keep("touches", history.item_touches(events)),
            category_weights=self._keep("category_weights", affinity.group_weights(occasions, "category")),
            brand_weights=self._keep("brand_weights", affinity.group_weights(occasions, "brand")),
            user_weights=self._keep("user_weights", affinity.user_weights(occasions)),
        )

    def _read(self, name: str) -> "ir.Table":
        path = self._dataset_dir / f"{name}.parquet"
        if path.exists():
            try:
                return self._connection.read_parquet(path, table_name=name)
            except Exception as error:
                raise DataRejected(f"cannot be read: {error}", field=str(path), fix="import the dataset again") from error
        if name in REQUIRED_TABLES:
            raise DataRejected("the dataset has no such table", field=str(path), fix="import a dataset first: endcap import --help")
        self._connection.con.register(name, arrow_schema(TABLES[name]).empty_table())
        return self._connection.table(name)

    def _time_range(self, events: "ir.Table") -> tuple[datetime, datetime]:
        bought = events.filter(events.event_type == "purchase")
        row = bought.agg(first=bought.occurred_at.min(), bought=bought.count()).cross_join(events.agg(last=events.occurred_at.max()))
        found = row.to_pyarrow().to_pylist()[0]
        if not found["bought"]:
            raise DataRejected("no purchases: features need at least one", field=str(self._dataset_dir / "events.parquet"))
        return found["first"], found["last"]

    def _moments(self, moments: tuple[datetime, ...], plan: SnapshotPlan) -> "ir.Table":
        name = f"moments_{moments[0]:%Y%m%d%H%M%S}_{len(moments)}"
        self._connection.con.register(name, snapshots_table(moments, plan.data_end))
        return self._connection.table(name)

    def _keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        """Compute once what several features take."""
        started = time.perf_counter()
        table = self._connection.create_table(name, expression)
        self._add_seconds(name, started)
        return table

    @contextmanager
    def _writer(self, name: str) -> "Iterator[_Write]":
        path = self._out_dir / f"{name}.parquet"
        started = time.perf_counter()
        write = _Write(path)
        try:
            yield write
        finally:
            write.close()
        self._rows[name], self._columns[name] = write.rows, write.columns
        self._add_seconds(name, started)
        get_logger("features").info("table written", table=name, rows=write.rows, seconds=self._seconds[name])

    def _add_seconds(self, name: str, started: float) -> None:
        self._seconds[name] = round(time.perf_counter() - started, 3)

    def _manifest(self, plan: SnapshotPlan) -> FeatureManifest:
        dataset = dataset_fingerprint(self._dataset_dir)
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
            rows=self._rows,
        )


class _Write:
    """Puts expressions' results one after another into one Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: pq.ParquetWriter | None = None
        self.rows = 0
        self.columns = 0

    def __call__(self, expression: "ir.Table") -> None:
        result = expression.to_pyarrow()
        if self._file is None:
            self._file = pq.ParquetWriter(self._path, result.schema, compression="zstd")
            self.columns = len(result.schema)
        self._file.write_table(result, row_group_size=ROW_GROUP_ROWS)
        self.rows += result.num_rows

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _batches(moments: tuple[datetime, ...], rows_a_batch: int, rows_a_moment: int) -> list[tuple[datetime, ...]]:
    size = max(1, rows_a_batch // max(1, rows_a_moment))
    return [moments[start : start + size] for start in range(0, len(moments), size)]


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("[progress.description]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)

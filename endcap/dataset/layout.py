"""The canonical dataset: one folder with a Parquet file a table, the rows that were refused, and `dataset.json` that describes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.tables import ADDED_COLUMNS, REQUIRED_TABLES, TABLES, arrow_schema
from endcap.core.errors import DataRejected

DESCRIPTION_FILE = "dataset.json"
REJECTED_FILE = "rejected.parquet"
LAYOUT_VERSION = 1
ORDER_ONLY = "sequences: order only, a day a step"
"""`source` of a dataset whose times carry an order and nothing else."""
UNORDERED = "sequences: sets, neither times nor order"
"""`source` of a dataset whose times carry nothing at all."""
WITH_LOG = " and event log"
"""Ends `source` of a dataset that went on with an event log."""
_COUNTS = (
    "returns",
    "unmatched_returns",
    "equal_lines",
    "events_without_user",
    "purchases_without_price",
    "held_out",
    "held_out_cart_additions",
)
"""Counts that descriptions from before lack."""
_IMPORT_AGAIN = "import the data again: endcap import complete-journey, folder or sequences"


@dataclass(frozen=True)
class Dataset:
    """A canonical dataset on disk, as `dataset.json` describes it.

    `rows` and `rejected` count rows by table; the tables that are not there are missing from both.
    `first_event_at` and `last_event_at` bound the events, both ends included, in UTC. `returns` counts returns and cancellations,
    `unmatched_returns` those among them that name no purchase from which anything is left to take. `copies` counts by table the rows that
    repeated another one with its id and were left out, `left_out` those that the mapping's `where` left out, or of a log the events
    that do not count, `equal_lines` the events that only their place tells from another one; they stay.
    `events_without_user` counts anonymous events, `purchases_without_price` those whose price is unknown. `held_out` counts purchases that
    are kept beside the tables for judging lists, `held_out_cart_additions` the cart additions of the same items by the same people, which
    are left out. `person_ids` names the key that ids of people, visits and orders are hashed with; None where they are as given.
    """

    path: Path
    source: str
    currency: str | None
    fingerprint: str
    rows: Mapping[str, int]
    rejected: Mapping[str, int]
    first_event_at: datetime
    last_event_at: datetime
    returns: int = 0
    unmatched_returns: int = 0
    equal_lines: int = 0
    events_without_user: int = 0
    purchases_without_price: int = 0
    held_out: int = 0
    held_out_cart_additions: int = 0
    copies: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    person_ids: str | None = None

    @property
    def origin_fingerprint(self) -> str:
        """The fingerprint that the import gave it: whoever keeps ids by a key has another dataset from the same source."""
        return self.fingerprint.removesuffix(f"-{self.person_ids}") if self.person_ids else self.fingerprint

    def has(self, table: str) -> bool:
        return table in self.rows

    def table(self, table: str) -> Path:
        """The Parquet file of a table."""
        return table_file(self.path, table)

    @property
    def knows_times(self) -> bool:
        """Whether the times say more than an order."""
        return self.knows_order and self.source != ORDER_ONLY

    @property
    def knows_order(self) -> bool:
        """Whether what comes before what means anything."""
        return self.source != UNORDERED

    @property
    def rejected_file(self) -> Path:
        """The refused rows with their reasons."""
        return self.path / REJECTED_FILE

    def describe(self) -> dict[str, Any]:
        """What `dataset.json` holds."""
        return {
            "layout_version": LAYOUT_VERSION,
            "source": self.source,
            "currency": self.currency,
            "fingerprint": self.fingerprint,
            "first_event_at": self.first_event_at.isoformat(),
            "last_event_at": self.last_event_at.isoformat(),
            "rows": dict(self.rows),
            "rejected": dict(self.rejected),
            "returns": self.returns,
            "unmatched_returns": self.unmatched_returns,
            "equal_lines": self.equal_lines,
            "events_without_user": self.events_without_user,
            "purchases_without_price": self.purchases_without_price,
            "held_out": self.held_out,
            "held_out_cart_additions": self.held_out_cart_additions,
            "copies": dict(self.copies),
            "left_out": dict(self.left_out),
            "person_ids": self.person_ids,
        }


@dataclass(frozen=True)
class Origin:
    """Where a dataset comes from; equal fingerprints mean that an import would make the same again."""

    source: str
    fingerprint: str


def table_file(folder: Path, table: str) -> Path:
    return folder / f"{table}.parquet"


def open_dataset(path: Path) -> Dataset:
    """Open a canonical dataset after a look at its description and at every table's footer.

    Raises:
        DataRejected: the folder, its description or a needed table is missing, a file is not readable as Parquet, its columns
            are not those of the contract, or there are no events. The message names the file and the fix.
    """
    dataset = _read_description(path)
    for table in dataset.rows:
        _check_table(dataset, table)
    for table in REQUIRED_TABLES:
        if not dataset.has(table):
            raise DataRejected("the table is missing", field=str(table_file(path, table)), fix=_IMPORT_AGAIN)
    if dataset.rows["events"] == 0:
        raise DataRejected("there are no events", field=str(dataset.table("events")), fix="import data with at least one event")
    return dataset


def reusable_dataset(target: Path, fingerprint: str) -> Dataset | None:
    """The dataset at `target` if it is whole and was made from the same source in the same way."""
    try:
        dataset = open_dataset(target)
    except DataRejected:
        return None
    return dataset if dataset.origin_fingerprint == fingerprint else None


def write_description(dataset: Dataset) -> None:
    (dataset.path / DESCRIPTION_FILE).write_text(json.dumps(dataset.describe(), indent=2) + "\n", encoding="utf-8")


def _read_description(path: Path) -> Dataset:
    file = path / DESCRIPTION_FILE
    if not path.is_dir():
        raise DataRejected("the dataset folder is missing", field=str(path), fix=_IMPORT_AGAIN)
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        return Dataset(
            path=path,
            source=described["source"],
            currency=described["currency"],
            fingerprint=described["fingerprint"],
            rows={table: int(count) for table, count in described["rows"].items() if table in TABLES},
            rejected={table: int(count) for table, count in described["rejected"].items()},
            first_event_at=datetime.fromisoformat(described["first_event_at"]),
            last_event_at=datetime.fromisoformat(described["last_event_at"]),
            copies={table: int(count) for table, count in described.get("copies", {}).items()},
            left_out={table: int(count) for table, count in described.get("left_out", {}).items()},
            person_ids=described.get("person_ids"),
            **{name: int(described.get(name, 0)) for name in _COUNTS},
        )
    except FileNotFoundError as error:
        raise DataRejected("the dataset's description is missing", field=str(file), fix=_IMPORT_AGAIN) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataRejected(f"the dataset's description is not readable ({error})", field=str(file), fix=_IMPORT_AGAIN) from error


def _check_table(dataset: Dataset, table: str) -> None:
    file = dataset.table(table)
    if not file.is_file():
        raise DataRejected("the table is missing", field=str(file), fix=_IMPORT_AGAIN)
    try:
        footer = pq.read_metadata(file)
        found = footer.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as error:
        raise DataRejected(f"not a readable Parquet file ({_first_line(error)})", field=str(file), fix=_IMPORT_AGAIN) from error
    expected = arrow_schema(TABLES[table])
    added = ADDED_COLUMNS.get(table, ())
    wrong = [field.name for field in expected if not _fits(found, field, may_be_missing=field.nullable or field.name in added)]
    extra = [name for name in found.names if name not in expected.names]
    if wrong or extra:
        raise DataRejected(
            f"the columns do not fit the contract (missing or of another type: {wrong}; unknown: {extra})",
            field=str(file),
            fix=_IMPORT_AGAIN,
        )
    if footer.num_rows != dataset.rows[table]:
        raise DataRejected(
            f"the file has {footer.num_rows:,} rows and {DESCRIPTION_FILE} says {dataset.rows[table]:,}", field=str(file), fix=_IMPORT_AGAIN
        )


def _fits(found: pa.Schema, field: pa.Field, *, may_be_missing: bool) -> bool:
    """Whether a table has the column, or may lack it, as in datasets from before it was in the contract."""
    if field.name not in found.names:
        return may_be_missing
    return _same_type(found.field(field.name).type, field.type)


def _same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    return bool(_plain(found) == _plain(expected))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without the choice of offsets, in which writers differ."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind])
    return kind


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

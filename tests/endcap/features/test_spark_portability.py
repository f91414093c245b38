"""Every feature expression compiles for Spark as it does for DuckDB."""

import ibis
import pytest
from ibis.config import Config

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.features import affinity, computing, history, item, purchases, user, user_item
from endcap.features.instants import with_instant
from endcap.features.net_purchases import VERSIONS_SCHEMA
from endcap.features.signal_parts import SignalParts
from endcap.features.signals import signal_events
from endcap.features.user_item_signals import cart_and_view_events


class _SparkOptions(Config):
    """What the Spark backend would register if it were installed."""

    treat_nan_as_null: bool = False


@pytest.fixture(scope="module", params=[False, True], ids=["purchases", "signals"])
def expressions(request):
    tables = {name: ibis.table(ibis.Schema.from_pyarrow(arrow_schema(contract)), name=name) for name, contract in TABLES.items()}
    events, items, users, promotions = (tables[name] for name in ("events", "items", "users", "promotions"))
    snapshots = with_instant(ibis.table({"event_timestamp": "timestamp('UTC', 6)", "is_data_end": "boolean"}, name="snapshots"))
    versions = ibis.table(ibis.Schema.from_pyarrow(VERSIONS_SCHEMA), name="taken_off")
    lines = purchases.purchase_lines(events, items, promotions, versions)
    occasions = purchases.purchase_occasions(lines)
    kept = signal_events(events)
    signals = SignalParts(kept, cart_and_view_events(kept, lines), 2.0) if request.param else SignalParts()
    parts = computing.UserParts(
        numeric=signals.user_numeric(user.user_numeric(lines, occasions, snapshots), occasions, snapshots),
        users=users,
        touches=history.item_touches(events, lines, 2.0 if request.param else None),
        category_weights=affinity.group_weights(occasions, "category"),
        brand_weights=affinity.group_weights(occasions, "brand"),
        user_weights=affinity.user_weights(occasions),
    )
    priced = item.priced_items(lines, items, snapshots, signals.first_touches())
    pairs = signals.user_item(user_item.user_item(occasions, snapshots), snapshots)
    sold = item.item_numeric(priced, lines, occasions, promotions, snapshots)
    return {
        "user_features": computing.user_table(parts, snapshots),
        "user_item_features": computing.pair_table(pairs, snapshots),
        "item_features": computing.item_table(signals.item_numeric(sold, priced, snapshots), snapshots),
    }


@pytest.mark.parametrize("table", ["user_features", "user_item_features", "item_features"])
@pytest.mark.parametrize("dialect", ["pyspark", "duckdb"])
def test_feature_table_compiles(expressions, table, dialect, monkeypatch):
    if ibis.options.pyspark is None:
        monkeypatch.setattr(ibis.options, "pyspark", _SparkOptions())
    sql = ibis.to_sql(expressions[table], dialect=dialect)
    assert sql.startswith(("SELECT", "WITH"))


def test_columns_follow_the_contract(expressions):
    from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS

    assert expressions["user_features"].columns == ("user_id", "event_timestamp", *computing.USER_COLUMNS)
    assert expressions["user_item_features"].columns == ("user_id", "event_timestamp", *PAIR_LISTS)
    assert expressions["item_features"].columns == ("item_id", "event_timestamp", *ITEM_NUMERIC)

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from endcap.cli.importing import validate
from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import Dataset, write_description
from endcap.dataset.sources.sequences import SequenceFiles, import_sequences
from tests.journeys.shops import looks, shoppers, write_dataset

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(validate)
    return app


@pytest.fixture
def data(tmp_path: Path) -> Path:
    item = {"item_id": "A1", "title": "Tea", "category_path": [], "availability": "in_stock", "attributes": "{}"}
    event = {
        "event_type": "page_view",
        "schema_version": 1,
        "occurred_at": NOW,
        "received_at": NOW,
        "session_id": "s",
        "item_id": "A1",
        "consent": True,
        "consent_analytics": True,
    }
    events = [{**event, "event_id": f"{number:032x}"} for number in range(9)] + [{**event, "event_id": "no uuid"}]
    pq.write_table(pa.Table.from_pylist([item], arrow_schema(Item)), tmp_path / "items.parquet")
    pq.write_table(pa.Table.from_pylist(events, arrow_schema(Event)), tmp_path / "events.parquet")
    write_description(Dataset(tmp_path, "test", None, "f", {"items": 1, "events": 10}, {"items": 0, "events": 4}, NOW, NOW))
    return tmp_path


def test_too_many_bad_rows_are_refused_with_the_reason(app: typer.Typer, data: Path) -> None:
    result = CliRunner().invoke(app, [str(data)])
    assert isinstance(result.exception, DataRejected)
    assert result.exception.exit_code == 3
    assert "1 of 10 rows (10.00%) are bad" in str(result.exception)
    assert "event_id: must be a UUID (1 row)" in str(result.exception)


def test_rows_and_reasons_are_counted(app: typer.Typer, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_DATA__MAX_REJECTED_SHARE", "0.2")
    tables = {table["table"]: table for table in json.loads(CliRunner().invoke(app, [str(data), "--json"]).stdout)["tables"]}
    assert tables["events"] == {
        "table": "events",
        "rows": 10,
        "copies": 0,
        "bad": 1,
        "bad share": 0.1,
        "reasons": "event_id: must be a UUID (1)",
        "refused_at_import": 4,
    }
    assert tables["items"]["bad"] == 0
    printed = CliRunner().invoke(app, [str(data)]).stdout
    assert "events" in printed
    assert "Nothing can be trained: " in printed
    assert "there are no purchases, views, carts and ratings" in printed


def test_the_table_says_what_would_be_trained(app: typer.Typer, tmp_path: Path) -> None:
    sequences = tmp_path / "sequences.txt"
    sequences.write_text("".join(f"u{n} " + " ".join(f"i{(n * step) % 12}" for step in range(1, 9)) + "\n" for n in range(30)))
    import_sequences(SequenceFiles(sequences), tmp_path / "data", 0.0)
    printed = CliRunner().invoke(app, [str(tmp_path / "data")]).stdout
    assert "What the data allows" in printed
    assert "240 of 30 people" in printed
    plan = json.loads(CliRunner().invoke(app, [str(tmp_path / "data"), "--json"]).stdout)["plan"]
    assert plan["parts"]["popularity"]["trained"]


@pytest.fixture
def validated(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], Result]:
    """Validates a shop of receipts and views with a signals file of a text, or without one."""
    shop = write_dataset(tmp_path / "shop", [*shoppers(users=30, weeks=8), *looks(40)])

    def run(signals: str | None) -> Result:
        if signals is not None:
            (tmp_path / "signals.yaml").write_text(signals)
            monkeypatch.setenv("ENDCAP_TRAINING__SIGNALS_FILE", str(tmp_path / "signals.yaml"))
        return CliRunner().invoke(app, [str(shop), "--json"])

    return run


def test_the_plan_is_that_of_a_training_with_the_shops_own_signals(validated: Callable[[str | None], Result]) -> None:
    usual = json.loads(validated(None).stdout)["plan"]
    assert set(usual["facts"]["signals"]) == {"purchase", "product_view"}
    lighter = json.loads(validated("product_view: {weight: 0.07}\n").stdout)["plan"]
    assert lighter["signals"]["product_view"]["weight"] == 0.07
    without = json.loads(validated("product_view: {weight: 0}\n").stdout)["plan"]
    assert without["facts"]["signals"] == {}
    assert without["facts"]["trainable_items"] <= usual["facts"]["trainable_items"]


def test_weights_that_leave_nothing_to_learn_from_are_the_reason(validated: Callable[[str | None], Result]) -> None:
    told = json.loads(validated("purchase: {weight: 0}\nproduct_view: {weight: 0}\n").stdout)
    assert told["plan"] is None
    assert "no type of event with a weight above 0 is in the data" in told["nothing_to_train"]


def test_a_signals_file_that_cannot_be_used_is_refused(validated: Callable[[str | None], Result]) -> None:
    refused = validated("product_view: {weight: much}\n").exception
    assert isinstance(refused, InvalidInput)
    assert "signals.yaml.product_view.weight, line 1" in str(refused)


def test_the_settings_data_folder_is_judged_unless_another_is_given(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / "home"))
    result = CliRunner().invoke(app, [])
    assert isinstance(result.exception, DataRejected)
    assert str(tmp_path / "home" / "data") in str(result.exception)

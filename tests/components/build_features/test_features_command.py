import json

import polars as pl
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from endcap.core.errors import DataRejected
from endcap.core.log import configure_logging
from endcap.dataset.layout import Dataset, write_description
from endcap_components.commands import features


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / "home"))
    configure_logging()
    app = typer.Typer()
    app.command("features")(features)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


@pytest.fixture
def dataset(shop, tmp_path):
    """A shop's dataset, described as an import does."""
    folder = shop.random_shop(tmp_path / "data", 6)
    times = pl.read_parquet(folder / "events.parquet")["occurred_at"]
    rows = {table.stem: pq.read_metadata(table).num_rows for table in folder.glob("*.parquet")}
    write_description(Dataset(folder, "made", "EUR", "f", rows, dict.fromkeys(rows, 0), times.min(), times.max()))
    return folder


def test_json_tells_folder_rows_and_manifest(run, dataset, tmp_path):
    result = run("--data", dataset, "--out", tmp_path / "features", "--test-weeks", 2, "--ranking-windows", 1, "--no-publish", "--json")
    document = json.loads(result.stdout)
    assert document["folder"] == str(tmp_path / "features")
    assert set(document["rows"]) == {"user_features", "user_item_features", "item_features"}
    assert document["manifest"]["cut"].startswith("2025-03-24T00:00:00")
    assert not (tmp_path / "home").exists()


def test_without_out_the_tables_go_to_the_offline_store(run, dataset, tmp_path):
    result = run("--data", dataset, "--test-weeks", 2, "--no-publish")
    assert result.exit_code == 0
    assert "item_features" in result.stdout
    assert (tmp_path / "home" / "features" / "features.json").exists()


def test_a_missing_dataset_is_refused_with_a_fix(run):
    result = run("--no-publish")
    assert isinstance(result.exception, DataRejected)
    assert "endcap import" in str(result.exception)

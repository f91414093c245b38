"""A run that could not deploy ends in its first step, and a run of whatever the dataset is learns what that is."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import DataRejected, InvalidInput
from endcap.core.settings import RolloutSettings, Settings
from endcap.dataset.layout import Dataset, write_description
from endcap_components.preflight.step import check_lists, check_models, check_parameters, preflight_step

PLACE = {"target": "endcap", "bundle_store": "/bundles", "storage_uri": "pvc://claim"}


@pytest.fixture
def dataset_dir(tmp_path: Path) -> Path:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    times = {"occurred_at": now, "received_at": now}
    event = {"event_id": "0" * 32, "event_type": "purchase", "schema_version": 1, **times, "session_id": "s"}
    event |= {"consent": True, "consent_analytics": True}
    for name, rows, contract in (("events", [event], Event), ("items", [], Item)):
        schema = arrow_schema(contract)
        whole = [dict.fromkeys(schema.names) | row for row in rows]
        pq.write_table(pa.Table.from_pylist(whole, schema), tmp_path / f"{name}.parquet")
    write_description(Dataset(tmp_path, "made", None, "f1", {"events": 1, "items": 0}, {"events": 0, "items": 0}, now, now))
    return tmp_path


def test_without_a_fingerprint_the_dataset_says_its_own(dataset_dir: Path) -> None:
    assert preflight_step(dataset_dir, "", Settings()) == "f1"


def test_the_fingerprint_asked_for_is_kept_for_the_check_that_follows(dataset_dir: Path) -> None:
    assert preflight_step(dataset_dir, "another", Settings()) == "another"


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected):
        preflight_step(tmp_path, "", Settings())


def test_a_deployment_that_is_set_up_is_let_through(dataset_dir: Path) -> None:
    settings = Settings(rollouts=RolloutSettings(**PLACE))
    assert preflight_step(dataset_dir, "", settings) == "f1"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"storage_uri": None}, "STORAGE_URI"),
        ({"bundle_store": None}, "BUNDLE_STORE"),
        ({"defaults_file": Path("missing.yaml")}, "DEFAULTS_FILE"),
    ],
)
def test_a_deployment_that_is_not_set_up_right_is_refused(dataset_dir: Path, changes: dict[str, Path | None], named: str) -> None:
    with pytest.raises(InvalidInput, match=f"ENDCAP_ROLLOUTS__{named}"):
        preflight_step(dataset_dir, "", Settings(rollouts=RolloutSettings(**{**PLACE, **changes})))


def test_parameters_that_only_late_steps_read_are_refused_here() -> None:
    check_parameters({"epochs": 1}, "bfloat16", {"method": "ease"}, {})
    with pytest.raises(InvalidInput, match=r"distil\.epoch"):
        check_parameters({"epoch": 1}, "float32", {"method": "ease"}, {})
    with pytest.raises(InvalidInput, match=r"precision: unknown; got 'fp16'; use one of float32, float16, bfloat16, int8"):
        check_parameters({}, "fp16", {"method": "ease"}, {})
    with pytest.raises(InvalidInput, match=r"item_to_item.method: .*got 'popular'; one of item_to_item_cosine"):
        check_parameters({}, "float32", {"method": "popular"}, {})


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"two_tower": {"objective": "clicks"}}, r"two_tower\.objective"),
        ({"two_tower": {"next_item": {"history_encoder": "self_attention", "dim": 30}}}, r"dim 30 is not divided by heads 4"),
        ({"ranker": {"epoch": 1}}, r"ranker\.epoch"),
        ({"quotas": {"two_tower_quota": -1}}, r"quotas\.two_tower_quota"),
    ],
)
def test_what_models_are_trained_with_is_judged_before_anything_else(asked: dict[str, dict[str, object]], field: str) -> None:
    nothing: dict[str, dict[str, object]] = {"two_tower": {}, "ranker": {}, "quotas": {}}
    check_models(**nothing)
    with pytest.raises(InvalidInput, match=field):
        check_models(**nothing | asked)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"popularity_days": 0}, "popularity_days"),
        ({"ease": {"use": "sometimes"}}, r"ease\.use"),
        ({"batching": {"row": 1}}, r"batching\.row"),
        ({"home": {"source": {}}}, "home"),
    ],
)
def test_what_lists_are_made_with_is_judged_before_anything_else(asked: dict[str, object], field: str) -> None:
    usual: dict[str, object] = {"popularity_days": 28, "ease": {}, "batching": {}, "home": {}}
    check_lists(**usual)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=field):
        check_lists(**usual | asked)  # type: ignore[arg-type]

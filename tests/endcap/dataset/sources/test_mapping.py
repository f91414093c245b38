from pathlib import Path

import pytest
import yaml

from endcap.core.errors import InvalidInput
from endcap.dataset.sources.mapping import load_mapping

GOOD = {
    "tables": {
        "items": {"files": "items.csv", "columns": {"item_id": "sku", "title": "name"}},
        "events": {
            "files": ["a.csv", "b/*.csv"],
            "columns": {"session_id": "order", "occurred_at": "when", "item_id": "sku"},
            "constants": {"event_type": "purchase"},
        },
    }
}


def changed(**events: object) -> dict:
    return {"tables": {**GOOD["tables"], "events": {**GOOD["tables"]["events"], **events}}}


def load(tmp_path: Path, content: object):
    file = tmp_path / "mapping.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return load_mapping(file)


def test_a_good_mapping_is_read(tmp_path: Path) -> None:
    mapping = load(tmp_path, {**GOOD, "time_zone": "Europe/Berlin"})
    assert mapping.tables["items"].files == ["items.csv"]
    assert mapping.for_table("events").time_zone == "Europe/Berlin"
    assert sorted(mapping.for_table("events").source_columns()) == ["order", "sku", "when"]


def test_a_tables_own_zone_goes_before_the_files(tmp_path: Path) -> None:
    mapping = load(tmp_path, {**changed(time_zone="Asia/Tokyo"), "time_zone": "Europe/Berlin"})
    assert mapping.for_table("events").time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tables: [", "not readable as YAML"),
        ({}, r"mapping\.yaml: tables: Field required"),
        ({"tables": {"items": GOOD["tables"]["items"]}}, "tables: events missing"),
        (
            {"tables": {**GOOD["tables"], "carts": GOOD["tables"]["items"]}},
            "carts unknown; the tables are events, items, users, promotions",
        ),
        ({**GOOD, "time_zone": "CET+1"}, "time_zone: 'CET\\+1' is no IANA time zone"),
        ({**GOOD, "currency": "euro"}, "currency: .*got 'euro'"),
        ({**GOOD, "zone": "UTC"}, "zone: Extra inputs are not permitted"),
        (changed(columns={"sku": "x"}), r"tables\.events\.columns: sku unknown; the columns are event_id, event_type"),
        (changed(columns={"session_id": "x", "occurred_at": "y"}, constants={}), r"tables\.events\.columns: event_type missing"),
        (changed(constants={"event_type": "purchase", "session_id": "s"}), "session_id in both columns and constants"),
        (changed(attributes=["x"]), "this table has no attributes"),
        (
            changed(event_id_from=["x"], columns={**GOOD["tables"]["events"]["columns"], "event_id": "id"}),
            "only for events without an event_id",
        ),
        (changed(epoch_unit="h"), r"tables\.events\.epoch_unit: Input should be 's', 'ms' or 'us'"),
        (changed(files=[]), r"tables\.events\.files"),
    ],
)
def test_a_wrong_mapping_is_one_message_that_names_the_field(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        load(tmp_path, content)


def test_a_missing_mapping_points_to_the_documentation(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"the mapping file is missing; see docs/data\.md"):
        load_mapping(tmp_path / "none.yaml")

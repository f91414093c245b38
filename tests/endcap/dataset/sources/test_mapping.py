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
    assert mapping.tables["items"][0].files == ["items.csv"]
    [events] = mapping.for_table("events")
    assert events.time_zone == "Europe/Berlin"
    assert sorted(events.source_columns()) == ["order", "sku", "when"]


def test_a_tables_own_zone_goes_before_the_files(tmp_path: Path) -> None:
    mapping = load(tmp_path, {**changed(time_zone="Asia/Tokyo"), "time_zone": "Europe/Berlin"})
    assert mapping.for_table("events")[0].time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tables: [", "no YAML"),
        ({}, "tables: Field required"),
        ({"tables": {"items": GOOD["tables"]["items"]}}, "tables: events missing"),
        (
            {"tables": {**GOOD["tables"], "carts": {"files": "carts.csv"}}},
            "carts unknown; the tables are events, items, users, promotions",
        ),
        ({**GOOD, "time_zone": "CET+1"}, "time_zone: 'CET\\+1' is no IANA time zone"),
        ({**GOOD, "currency": "euro"}, "currency: .*got 'euro'"),
        ({**GOOD, "zone": "UTC"}, "zone: Extra inputs are not permitted"),
        (changed(columns={"experiments": "x"}), r"tables\.events\.columns: experiments unknown"),
        (changed(columns={"sku": "x"}), r"tables\.events\.columns: sku unknown; the columns are event_id, event_type"),
        (changed(columns={"session_id": "x", "occurred_at": "y"}, constants={}), r"tables\.events\.columns: event_type missing"),
        (changed(constants={"event_type": "purchase", "session_id": "s"}), "session_id in both columns and constants"),
        (changed(attributes=["x"]), "this table has no attributes"),
        (
            changed(event_id_from=["x"], columns={**GOOD["tables"]["events"]["columns"], "event_id": "id"}),
            "only for events without an event_id",
        ),
        (changed(epoch_unit="h"), r"mapping\.yaml, line 9: tables\.events\.epoch_unit: Input should be 's', 'ms' or 'us'"),
        (changed(files=[]), r"tables\.events\.files"),
        (changed(constants={"event_type": "bought"}), "constants.event_type: 'bought' cannot be its value: input should be 'page_view'"),
        (changed(constants={"event_type": "purchase", "quantity": "many"}), "constants.quantity: 'many' cannot be its value"),
        (
            changed(constants={"event_type": "purchase", "quantity": 0}),
            "constants.quantity: 0 cannot be its value: input should be greater",
        ),
        (changed(constants={"event_type": "purchase", "event_id": "e1"}), "constants.event_id: names each row"),
        (changed(constants={"event_type": "purchase", "channel": True}), "constants.channel: True cannot be its value"),
        (changed(constants={"event_type": "purchase", "currency": "euro"}), "constants.currency: 'euro' cannot be its value"),
        (changed(constants={"event_type": "purchase", "received_at": "2026-03-01"}), "constants.received_at"),
        (
            {"tables": {**GOOD["tables"], "items": {"files": "i.csv", "columns": {"title": "n"}, "constants": {"item_id": "x"}}}},
            r"tables\.items\.constants\.item_id: names each row",
        ),
        (changed(time_format="%d.%m"), r"tables\.events: time_format: names no day"),
        (changed(time_format="dd.mm.yyyy"), "time_format: names no day"),
        (changed(thousands="."), "stands before the decimals already"),
        (changed(thousands="_"), r"tables\.events\.thousands"),
        (changed(values={"event_type": {"x": "purchase"}}), r"values\.event_type: the column is not in columns"),
        (changed(encoding="martian"), r"tables\.events\.encoding: is no text encoding.*got 'martian'"),
        ([changed()], "mapping.yaml: the mapping file holds no options"),
        ("", "mapping.yaml: the mapping file holds no options"),
        ("source: a\nsource: b\n", "line 2: the key `source` stands twice"),
        ("tables:\n  events:\n    time_format: %d.%m.%Y\n", 'line 3, column 18: a value cannot start with % .* write it as "%d.%m.%Y"'),
    ],
)
def test_a_wrong_mapping_is_one_message_that_names_the_field(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        load(tmp_path, content)


def test_a_missing_mapping_points_to_the_documentation(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"the mapping file is missing; see docs/data\.md"):
        load_mapping(tmp_path / "none.yaml")


def test_words_of_the_mapping_are_what_they_look_like(tmp_path: Path) -> None:
    text = """
tables:
  items: {files: items.csv, columns: {item_id: 790, title: no}, constants: {brand: 4711}}
  events:
    files: a.csv
    columns: {session_id: on, occurred_at: y, item_id: 790, event_type: kind, consent: agreed}
    values: {event_type: {0: product_view, 1: purchase}, consent: {yes: true, no: false}}
    time_format: "%d.%m.%Y"
"""
    mapping = load(tmp_path, text)
    assert mapping.tables["items"][0].source_columns() == ["790", "no"]
    events = mapping.tables["events"][0]
    assert events.source_columns() == ["on", "y", "790", "kind", "agreed"]
    assert events.values == {"event_type": {"0": "product_view", "1": "purchase"}, "consent": {"yes": "true", "no": "false"}}


@pytest.mark.parametrize("text", ["", "- a\n", "shop\n", "# only a comment\n"])
def test_a_mapping_without_options_says_how_to_begin(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=r"holds no options; begin with source: and tables:"):
        load_mapping(file)


def test_a_mapping_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(GOOD), encoding="utf-8-sig")
    assert load_mapping(tmp_path / "mapping.yaml").tables


def test_a_mapping_in_another_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_bytes("source: Käse\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match="no UTF-8 text; save it as UTF-8"):
        load_mapping(tmp_path / "mapping.yaml")

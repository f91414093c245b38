from pathlib import Path

import pytest
from structlog.testing import capture_logs

from endcap.events.schemas.known_ids import KnownIds

REGISTRY = "http://registry.test/"


def test_an_id_is_known_again_in_another_process(tmp_path: Path) -> None:
    file = tmp_path / "home" / "schema_ids.json"
    KnownIds(file).remember(REGISTRY, "events-value", "{}", 7)
    assert KnownIds(file).id_of(REGISTRY, "events-value", "{}") == 7
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_an_id_is_of_one_registry_one_subject_and_one_schema(tmp_path: Path) -> None:
    known = KnownIds(tmp_path / "ids.json")
    known.remember(REGISTRY, "events-value", "{}", 7)
    known.remember(REGISTRY, "events-value", '{"type":"object"}', 8)
    known.remember(REGISTRY, "rejected-value", "{}", 9)
    known.remember("http://other.test/", "events-value", "{}", 1)
    assert known.id_of(REGISTRY, "events-value", "{}") == 7
    assert known.id_of(REGISTRY, "events-value", '{"type":"object"}') == 8
    assert known.id_of(REGISTRY, "rejected-value", "{}") == 9
    assert known.id_of(REGISTRY, "catalogue-value", "{}") is None


def test_an_id_is_replaced_and_forgotten(tmp_path: Path) -> None:
    known = KnownIds(tmp_path / "ids.json")
    known.remember(REGISTRY, "events-value", "{}", None)
    assert not (tmp_path / "ids.json").exists()
    known.remember(REGISTRY, "events-value", "{}", 7)
    known.remember(REGISTRY, "events-value", "{}", 8)
    assert known.id_of(REGISTRY, "events-value", "{}") == 8
    known.remember(REGISTRY, "events-value", "{}", None)
    assert known.id_of(REGISTRY, "events-value", "{}") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"registries": {"r": {"s": "seven"}}}', '{"registries": {}, "more": 1}'])
def test_a_damaged_file_knows_nothing_is_named_and_is_written_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ids.json"
    file.write_text(content)
    with capture_logs() as lines:
        assert KnownIds(file).id_of(REGISTRY, "events-value", "{}") is None
    assert [(line["event"], line["file"]) for line in lines] == [("known ids cannot be read", str(file))]
    KnownIds(file).remember(REGISTRY, "events-value", "{}", 7)
    assert KnownIds(file).id_of(REGISTRY, "events-value", "{}") == 7

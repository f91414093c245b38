"""How far Kafka has confirmed files."""

from pathlib import Path

import pytest

from endcap_collector.spool.places import Places


def test_places_are_the_same_after_a_restart_in_the_order_in_which_files_were_seen(tmp_path: Path) -> None:
    places = Places(tmp_path / "spool" / "events.json")
    places.follow(["b"])
    places["b"] = 7
    assert places.follow(["a", "b", "c"]) is False
    places.save()
    again = Places(tmp_path / "spool" / "events.json")
    again.follow(["0", "a", "b", "c"])
    assert again.in_order() == ["b", "a", "c", "0"]
    assert [again[name] for name in again.in_order()] == [7, 0, 0, 0]


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    places = Places(tmp_path / "events.json")
    places.follow(["a", "b"])
    places.forget("a")
    assert places.follow(["b"]) is False
    assert places.follow([]) is True
    assert places.in_order() == []


@pytest.mark.parametrize("content", ["", "[]", '{"a": null}', '{"a": "x"}', "\0\0\0"])
def test_a_damaged_file_says_that_nothing_is_confirmed(tmp_path: Path, content: str) -> None:
    (tmp_path / "events.json").write_text(content)
    places = Places(tmp_path / "events.json")
    places.follow(["a"])
    assert places["a"] == 0

"""The pointer to the served bundle: whole or not at all, and what is wrong with it is said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.release.bundle.served_pointer import ServedPointer, parse_pointer, read_pointer, write_pointer
from tests.properties import examples


@given(st.one_of(st.none(), st.integers(1, 10**17)))
@examples(50)
def test_what_is_written_is_read(version: int | None) -> None:
    assert parse_pointer(ServedPointer(version=version).text(), "served.json") == ServedPointer(version=version)


def test_a_change_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for version in (7, None, 8):
        write_pointer(tmp_path / "served.json", ServedPointer(version=version))
        assert read_pointer(tmp_path / "served.json").version == version
    assert [each.name for each in tmp_path.iterdir()] == ["served.json"]


def test_without_one_it_is_said_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(DependencyUnavailable, match=r"ENDCAP_ROLLOUTS__SERVED_FILE: nobody has said which bundle is served.*operator"):
        read_pointer(tmp_path / "served.json")


@pytest.mark.parametrize("text", ["", "7", "{}", '{"version": 0}', '{"version": "new"}', '{"version": 7, "weight": 5}'])
def test_what_is_no_pointer_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "served.json").write_text(text)
    with pytest.raises(BundleInvalid, match=r"served\.json: it does not say which bundle is served"):
        read_pointer(tmp_path / "served.json")

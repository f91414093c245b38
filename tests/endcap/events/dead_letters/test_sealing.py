import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.core.key_files import new_key
from endcap.events.dead_letters.sealing import Seal, load_seal

SETTING = "ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE"


@given(st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_is_opened_with_the_key(text: str) -> None:
    seal = Seal([new_key()], SETTING)
    assert seal.open(seal.seal(text)) == text


def test_a_changed_key_still_opens_what_the_earlier_one_sealed() -> None:
    old, new = new_key(), new_key()
    sealed = Seal([old], SETTING).seal("text")
    assert Seal([new, old], SETTING).open(sealed) == "text"
    with pytest.raises(InvalidInput, match="sealed with another key"):
        Seal([new], SETTING).open(sealed)


@pytest.mark.parametrize("keys", [[], ["short"], ["é" * 44]])
def test_what_is_no_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(InvalidInput, match="no key"):
        Seal(keys, SETTING)


def test_one_machine_makes_its_own_key_once_for_its_owner_only(tmp_path: Path) -> None:
    own = tmp_path / "keys" / "dead_letters.key"
    sealed = load_seal(None, own, SETTING, may_make=True).seal("text")
    assert load_seal(None, own, SETTING, may_make=True).open(sealed) == "text"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert [file.name for file in own.parent.iterdir()] == [own.name]


def test_a_cluster_has_to_be_given_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not set"):
        load_seal(None, tmp_path / "key", SETTING, may_make=False)
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_seal(tmp_path / "none", tmp_path / "key", SETTING, may_make=False)

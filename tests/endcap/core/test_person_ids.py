import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.core.person_ids import AS_GIVEN, KEY_SETTING, PersonIds, load_person_ids
from endcap.core.settings import PersonIdSettings, Settings

HASHED = PersonIds(bytes(range(32)))


@given(st.text(min_size=1, max_size=128))
def test_an_id_has_one_hash_that_says_nothing_of_it_and_fits_the_contract(given_id: str) -> None:
    kept = HASHED.kept(given_id)
    assert kept == HASHED.kept(given_id)
    assert len(kept) == 32
    assert set(kept) <= set("0123456789abcdef")
    assert kept != PersonIds(bytes(32)).kept(given_id)
    assert AS_GIVEN.kept(given_id) == given_id


@given(st.sets(st.text(min_size=1, max_size=20), min_size=2, max_size=20))
def test_different_ids_stay_different(given_ids: set[str]) -> None:
    assert len({HASHED.kept(given_id) for given_id in given_ids}) == len(given_ids)


def test_fingerprints_tell_keys_apart_without_telling_them() -> None:
    assert AS_GIVEN.fingerprint is None
    assert HASHED.fingerprint not in (None, PersonIds(bytes(32)).fingerprint)
    assert HASHED.key is not None
    assert (HASHED.fingerprint or "") not in HASHED.key.hex()


def test_ids_are_kept_as_given_unless_told_otherwise(tmp_path: Path) -> None:
    assert load_person_ids(Settings(home=tmp_path)) == AS_GIVEN
    assert not list(tmp_path.iterdir())


def test_one_machine_makes_its_own_key_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, person_ids=PersonIdSettings(hashed=True))
    assert load_person_ids(settings) == load_person_ids(settings)
    assert load_person_ids(settings).key is not None


def test_a_cluster_has_to_be_given_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not set") as refused:
        load_person_ids(Settings(profile="cluster", home=tmp_path, person_ids=PersonIdSettings(hashed=True)))
    assert refused.value.field == KEY_SETTING


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "0 keys"),
        ("not base64 !", "3 keys|2 keys"),
        ("=", "no key"),
        (base64.urlsafe_b64encode(bytes(16)).decode(), "16 bytes"),
        (base64.urlsafe_b64encode(bytes(32)).decode() + "\n" + base64.urlsafe_b64encode(bytes(32)).decode(), "2 keys"),
    ],
)
def test_a_file_that_holds_no_key_or_several_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="ascii")
    with pytest.raises(InvalidInput, match=reason):
        load_person_ids(Settings(home=tmp_path, person_ids=PersonIdSettings(hashed=True, key_file=file)))

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected, InvalidInput
from endcap.core.settings import PersonIdSettings, Settings
from endcap.prepared_lists.people import People, Share
from tests.properties import examples


@examples(50)
@given(ids=st.lists(st.text("abcü1", max_size=4) | st.none(), min_size=1), seed=st.randoms())
def test_each_person_comes_once_in_an_order_that_only_the_ids_decide(ids: list[str | None], seed: object) -> None:
    named = {each for each in ids if each}
    shuffled = list(ids)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    if not named:
        with pytest.raises(DataRejected, match="nobody is in it"):
            People.of_table(pl.DataFrame({"user_id": ids}, {"user_id": pl.String}), "f")
        return
    one, other = (People.of_table(pl.DataFrame({"user_id": each}, {"user_id": pl.String}), "f") for each in (ids, shuffled))
    assert one == other
    assert one.digest == other.digest
    assert set(one.ids) == named
    assert len(one.ids) == len(named)


def test_ids_that_look_like_numbers_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,user_id\na@b.example,007\nc@d.example,12\n")
    assert People.of_file(file).ids == ("007", "12")


def test_numbers_of_a_parquet_file_become_texts(tmp_path: Path) -> None:
    file = tmp_path / "people.parquet"
    pl.DataFrame({"user_id": [12, 7, 12]}).write_parquet(file)
    assert People.of_file(file).ids == ("12", "7")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, "there is no such file"),
        ("gone.parquet", None, "there is no such file"),
        ("other.csv", b"person\n1\n", "cannot be read"),
        ("empty.csv", b"", "cannot be read"),
        ("broken.parquet", b"PAR1", "broken.parquet"),
        ("bytes.csv", b"user_id\n\xff\xfe\n", "cannot be read"),
        ("nobody.csv", b"user_id\n\n", "nobody is in it"),
        ("long.csv", b"user_id\n" + b"x" * 129 + b"\n", "at most 128 characters"),
    ],
)
def test_a_file_without_people_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((InvalidInput, DataRejected), match=message):
        People.of_file(tmp_path / name)


def test_everybody_needs_features_and_ids_that_callers_know(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="endcap features"):
        People.known(Settings(home=tmp_path))
    with pytest.raises(InvalidInput, match="--people FILE"):
        People.known(Settings(home=tmp_path, person_ids=PersonIdSettings(hashed=True)))
    (tmp_path / "features").mkdir()
    pl.DataFrame({"user_id": ["b", "a"], "x": [1, 2]}).write_parquet(tmp_path / "features" / "user_features.parquet")
    assert People.known(Settings(home=tmp_path)).ids == ("a", "b")


@given(parts=st.integers(0, 50), of=st.integers(1, 9))
def test_shares_cover_each_part_once(parts: int, of: int) -> None:
    shares = [Share.parse(f"{number}/{of}") for number in range(1, of + 1)]
    assert all(sum(share.has(part) for share in shares) == 1 for part in range(parts))


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3", "²/3"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--share"):
        Share.parse(text)

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.placeholder_ids import NO_PERSON_WORDS, NO_VALUE_WORDS, is_no_item, is_no_person
from endcap.events.stream.placeholders import stands_for_no_item, stands_for_no_person

WORDS = [*sorted(NO_VALUE_WORDS | NO_PERSON_WORDS), "0", "000", "00000000-0000-0000-0000-000000000000", "{0-0}", "0x", "u-1"]
spaced = st.builds(
    lambda before, word, after: before + word + after,
    st.sampled_from(["", " ", "\t\n", "\x1f"]),
    st.sampled_from(WORDS).flatmap(lambda word: st.sampled_from([word, word.upper(), word.title()])),
    st.sampled_from(["", " ", "\x85", "x", " " * 70]),
)


@given(st.lists(spaced | st.text(max_size=20), min_size=1))
def test_columns_know_the_ids_that_the_contract_knows(texts: list[str]) -> None:
    frame = pl.DataFrame({"id": [*texts, None]})
    assert frame.select(stands_for_no_item("id")).to_series().to_list() == [*map(is_no_item, texts), False]
    assert frame.select(stands_for_no_person("id")).to_series().to_list() == [*map(is_no_person, texts), False]

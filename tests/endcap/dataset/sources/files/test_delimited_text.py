"""Lines of delimited text: none disappears without being counted."""

import csv
import io
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from endcap.dataset.sources.files.delimited_text import delimited_batches
from endcap.dataset.sources.files.raw_batch import RawBatch
from endcap.dataset.sources.files.source_files import SourceFiles
from tests.properties import examples

HEADER = "sku,name,price\n"


def read(text: str, batch_rows: int = 1000, **form: Any) -> list[RawBatch]:
    return list(delimited_batches(io.StringIO(text, newline=""), "items.csv", SourceFiles(files=["items.csv"], **form), batch_rows))


def rows(text: str, **form: Any) -> list[tuple[str, ...]]:
    return [row for batch in read(text, **form) for row in batch.frame.rows()]


def lost(text: str, **form: Any) -> list[tuple[int, str]]:
    return [(row.row_number, row.reason) for batch in read(text, **form) for row in batch.unreadable]


def test_line_breaks_in_quotes_are_one_row() -> None:
    text = HEADER + 'A,"Tea\nin bags\n\n(20)",1\nB,Mug,2\n'
    assert rows(text) == [("A", "Tea\nin bags\n\n(20)", "1"), ("B", "Mug", "2")]
    assert read(text)[0].row_numbers.to_pylist() == [1, 2]


def test_every_line_after_a_quote_that_is_never_closed_counts_as_lost() -> None:
    good = "".join(f"A{number},Tea,1\n" for number in range(1, 251))
    swallowed = 'A251,"Mug,2\n' + "".join(f"A{number},Tea,1\n" for number in range(252, 501))
    assert len(rows(HEADER + good + swallowed)) == 250
    refused = lost(HEADER + good + swallowed)
    assert [number for number, _ in refused] == list(range(251, 501))
    assert {reason for _, reason in refused} == {
        "lost with row 251: a quote is opened and closed nowhere it could be; close it, or set quote: none"
    }
    assert len(rows(HEADER + good + swallowed, quote="none")) == 500


def test_a_quote_that_a_later_quote_closes_by_chance_loses_the_lines_between() -> None:
    text = HEADER + 'A1,"Tea,1\nA2,Mug,2\nA3,"Pot",3\nA4,Cup,4\n'
    assert rows(text) == [("A4", "Cup", "4")]
    assert [number for number, _ in lost(text)] == [1, 2, 3]


def test_lines_that_look_like_rows_are_no_text_over_several_lines() -> None:
    text = HEADER + 'A1,Tea,"1\nA2,Mug,2\nA3,Pot,3"\nA4,Cup,4\n'
    assert rows(text) == [("A4", "Cup", "4")]
    assert [number for number, _ in lost(text)] == [1, 2, 3]


def test_a_quote_that_the_last_line_leaves_open_is_no_row() -> None:
    assert rows(HEADER + 'A1,Tea,"1') == []
    assert [number for number, _ in lost(HEADER + 'A1,Tea,"1')] == [1]


def test_reading_goes_on_after_a_text_that_is_too_long() -> None:
    swallowed = 'A0,"' + "".join(f"A{number},Tea,1\n" for number in range(20_000))
    text = HEADER + swallowed
    assert len(rows(text)) + len(lost(text)) == 20_000
    assert lost(text)[0] == (1, "lost with row 1: a text is longer than 131,072 signs; is a quote before it never closed?")


def test_short_and_long_rows_say_how_many_columns_they_have() -> None:
    assert lost(HEADER + "A1,Tea\nA2,Mug,2\nA3,Pot,3,4\n") == [(1, "has 2 columns, the header 3"), (3, "has 4 columns, the header 3")]


def test_a_quote_within_a_text_is_a_sign_like_any_other() -> None:
    assert rows(HEADER + 'A1,15" pan,1\nA2,"say ""hi""",2\n') == [("A1", '15" pan', "1"), ("A2", 'say "hi"', "2")]


def test_escaped_signs_lose_their_meaning() -> None:
    assert rows(HEADER + 'A1,Tea\\, green,1\nA2,"say \\"hi\\"",2\n', escape="\\") == [("A1", "Tea, green", "1"), ("A2", 'say "hi"', "2")]


def test_separators_of_several_signs_may_stand_in_quotes() -> None:
    assert rows('1::"a::b"::2\n3::Alien::4\n', delimiter="::", header=["a", "b", "c"]) == [("1", "a::b", "2"), ("3", "Alien", "4")]


VALUES = st.text(st.sampled_from("ab1 ,;\"'\n\r\\:\u00e4"), max_size=6)
ROWS = st.lists(st.lists(VALUES, min_size=2, max_size=4), max_size=8)


@given(ROWS, st.sampled_from([",", ";", "\t"]))
@examples(80)
def test_what_a_program_writes_reads_back_with_nothing_lost(written: list[list[str]], delimiter: str) -> None:
    whole = [row for row in written if len(row) == 2]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["k", "v"], *whole])
    found = rows(text.getvalue(), delimiter=delimiter)
    assert found == [tuple(row) for row in whole]


@given(st.lists(st.text(st.sampled_from('ab1 ,"\u00e4'), max_size=12), max_size=12), st.sampled_from(['"', "'", "none"]))
@example(lines=['"', "", '"a,b', "c"], quote='"')
@examples(200)
def test_no_line_disappears_without_being_counted(lines: list[str], quote: str) -> None:
    batches = read("k,v\n" + "\n".join(lines), batch_rows=3, quote=quote)
    good = [row for batch in batches for row in batch.frame.rows()]
    # A good row over several lines holds their breaks.
    held = sum(value.count("\n") for row in good for value in row)
    blank_within = sum(not part.strip() for row in good for value in row for part in value.split("\n")[1:-1])
    refused = [row for batch in batches for row in batch.unreadable]
    assert len(good) + held - blank_within + len(refused) == sum(bool(line.strip()) for line in lines)
    numbers = [number for batch in batches for number in batch.row_numbers.to_pylist()] + [row.row_number for row in refused]
    assert sorted(numbers) == list(range(1, len(good) + len(refused) + 1))

"""Lists of a dataset are joined with what followed them: of persons who allow it, and of nothing that comes later."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.training.shown_lists import FOLLOWED_ENOUGH, SHOWN_SCHEMA, ShownLists, lists_of_some
from endcap_components.build_training_set.shown_lists import write_shown_lists
from tests.endcap.events.outcomes.made_events import END, START, Row, event, frame

ITEMS = pl.DataFrame({"item_id": ["A", "B", "C"], "item_index": pl.Series([1, 2, 3], dtype=pl.Int32)})


def shown(number: int, item_id: str, position: int, minutes: float = 0, **fields: object) -> Row:
    return event("impression", number, minutes, item_id, **{"position": position, "user_id": "u1", **fields})


def joined(folder: Path, *rows: Row, until: datetime = END) -> tuple[ShownLists | None, pl.DataFrame]:
    frame(rows).write_parquet(folder / "events.parquet")
    target = folder / "shown.parquet"
    facts = write_shown_lists(folder, ITEMS, target, since=START, until=until)
    return facts, pl.read_parquet(target) if facts is not None else pl.DataFrame(schema=SHOWN_SCHEMA)


def test_places_say_whether_they_were_followed(tmp_path: Path) -> None:
    click = event("click", 9, 1, "B", request_id="r1", position=2, user_id="u1")
    facts, places = joined(tmp_path, shown(1, "A", 1), shown(2, "B", 2), shown(3, "nobody-knows", 3), click)
    assert places["item_index"].to_list() == [1, 2]
    assert places["followed"].to_list() == [False, True]
    assert places["look_chance"].to_list() == pytest.approx([1.0, 2**-0.5])
    assert facts == ShownLists(places=2, followed=1, users=1, share=1.0, examination="assumed: place^-0.5")


def test_a_later_purchase_in_another_visit_counts_for_the_list(tmp_path: Path) -> None:
    bought = event("purchase", 9, 60 * 24 * 3, "A", user_id="u1", session_id="s9")
    assert joined(tmp_path, shown(1, "A", 1), bought)[1]["followed"].to_list() == [True]


def test_lists_of_nobody_known_and_of_who_does_not_allow_it_are_left_out(tmp_path: Path) -> None:
    facts, places = joined(tmp_path, shown(1, "A", 1, user_id=None), shown(2, "B", 2, consent=False), shown(3, "C", 3))
    assert places["item_index"].to_list() == [3]
    assert facts is not None and facts.users == 1


def test_what_nobody_saw_was_not_shown_where_pages_say_what_is_seen(tmp_path: Path) -> None:
    seen = event("seen_impression", 9, 1, "A", request_id="r1", position=1)
    silent = shown(4, "C", 1, request_id="r2", surface="cart")
    assert joined(tmp_path, shown(1, "A", 1), shown(2, "B", 2), silent, seen)[1]["item_index"].to_list() == [1, 3]


def test_nothing_that_comes_later_changes_it(tmp_path: Path) -> None:
    rows = (shown(1, "A", 1), shown(2, "B", 2), event("click", 8, 1, "B", request_id="r1", user_id="u1"))
    later = (
        event("purchase", 10, 60, "A", user_id="u1", request_id="r1"),
        event("seen_impression", 11, 61, "A", request_id="r1", position=1),
        shown(12, "C", 1, minutes=90, request_id="r3"),
    )
    until = START + timedelta(minutes=60)
    facts, places = joined(tmp_path, *rows, until=until)
    assert joined(tmp_path, *rows, *later, until=until)[0] == facts
    assert places["followed"].to_list() == [False, True]


def test_a_dataset_without_lists_has_no_file(tmp_path: Path) -> None:
    assert joined(tmp_path, event("product_view", 1, 0, "A", user_id="u1"))[0] is None
    assert not (tmp_path / "shown.parquet").exists()


@pytest.mark.parametrize(("followed", "weighs"), [(FOLLOWED_ENOUGH - 1, False), (FOLLOWED_ENOUGH, True)])
def test_the_manifest_says_whether_there_is_enough(followed: int, weighs: bool) -> None:
    facts = ShownLists(places=9_000, followed=followed, users=70, share=1.0, examination="assumed: place^-0.5")
    assert facts.are_enough == weighs
    assert ("are weighed by 9,000 places" if weighs else f"{followed} of them followed, and 300 have to be") in facts.note()


def test_of_too_many_lists_whole_persons_stay_and_everything_else_does() -> None:
    people = [f"u{number}" for number in range(200)]
    rows = [shown(number, item, 1, user_id=user) for number, user in enumerate(people, 1) for item in ("A", "B")]
    rows += [event("click", 1_000 + number, 1, "A", user_id=user) for number, user in enumerate(people)]
    kept, share = lists_of_some(frame(rows).lazy(), events_max=200)
    counts = kept.collect().group_by("user_id", "event_type").len()
    lists = counts.filter(pl.col("event_type") == "impression")
    assert share == 0.5
    assert 60 < len(lists) < 140
    assert lists["len"].unique().to_list() == [2]
    assert counts.filter(pl.col("event_type") == "click").height == 200

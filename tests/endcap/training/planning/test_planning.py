"""What a dataset allows to train is said before anything is trained, with the reason for what is left out."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.training_plan import Timetable, TrainingPlan
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import open_dataset
from endcap.dataset.sources.sequences import SequenceFiles, import_sequences
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.training.data_profile import DataProfile
from endcap.training.planning.plan_table import plan_lines
from endcap.training.planning.planning import Requested, batch_size, plan_training
from endcap.training.training_set import TrainingSet
from endcap_components.build_training_set.step import build_training_set
from endcap_components.train_two_tower.step import early_parts
from tests.journeys.shops import SHOPS, START, Catalogue, Line, shoppers, write_dataset
from tests.properties import examples

Planned = Callable[..., TrainingPlan]


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    def plan(lines: list[Line], requested: Requested | None = None, told: Catalogue | None = None) -> TrainingPlan:
        folder = tmp_path / f"shop-{len(list(tmp_path.iterdir()))}"
        return plan_training(open_dataset(write_dataset(folder, lines, told)), requested or Requested())

    return plan


@pytest.mark.parametrize("shape", [name for name in SHOPS if name != "tills"])
def test_every_shape_with_known_people_trains_something_personal(shape: str, tmp_path: Path) -> None:
    plan = plan_training(open_dataset(SHOPS[shape](tmp_path / "shop")), Requested())
    assert plan.is_personal, plan.left_out()
    assert plan.facts.people_judged > 0


def test_half_a_year_of_receipts_is_cut_as_usual(planned: Planned) -> None:
    plan = planned(shoppers(users=80))
    assert (plan.times, plan.min_buyers, plan.objective) == (Timetable(), 5, "window")
    assert plan.left_out() == {}


def test_tills_train_what_baskets_tell_and_nothing_personal(tmp_path: Path) -> None:
    plan = plan_training(open_dataset(SHOPS["tills"](tmp_path / "shop")), Requested())
    assert set(plan.left_out()) == {"two_tower", "ranker"}
    assert plan.facts.purchases_without_person == plan.facts.purchases
    assert plan.facts.people_judged == 0
    assert (plan.times.test_weeks, plan.times.test_days) == (0, 0)


@pytest.mark.parametrize(("weeks", "kept"), [(26, (4, 0)), (9, (2, 0)), (5, (1, 0))])
def test_shorter_histories_keep_less_for_evaluation(planned: Planned, weeks: int, kept: tuple[int, int]) -> None:
    plan = planned(shoppers(weeks=weeks))
    assert (plan.times.test_weeks, plan.times.test_days) == kept
    assert plan.left_out() == {}


def test_a_week_is_cut_by_days(planned: Planned) -> None:
    daily = [replace(line, at=START + (line.at - START) / 7) for line in shoppers(users=80, weeks=8)]
    plan = planned(daily)
    assert (plan.times.test_weeks, plan.times.grid_days) == (0, 1)
    assert plan.is_personal, plan.left_out()


def test_everything_on_one_day_trains_nothing_personal_and_says_why(planned: Planned) -> None:
    plan = planned([replace(line, at=START + (line.at - START) / 1000) for line in shoppers()])
    assert not plan.is_personal
    assert "too few bought again" in plan.parts["two_tower"].reason
    assert plan.trains("popularity")
    assert plan.trains("item_to_item")


def test_one_person_and_one_item_train_nothing_personal(planned: Planned) -> None:
    one_person = planned([line for line in shoppers() if line.user == "u000"])
    assert not one_person.is_personal
    one_item = planned([replace(line, item="i000") for line in shoppers()])
    assert not one_item.is_personal
    assert not one_item.trains("complements")


def test_an_item_of_a_long_tail_needs_fewer_buyers(tmp_path: Path) -> None:
    plan = plan_training(open_dataset(SHOPS["long tail"](tmp_path / "shop")), Requested())
    assert plan.min_buyers < 5
    assert plan.facts.trainable_items >= 200


def test_purchases_that_end_long_before_the_last_event_are_still_cut_between(planned: Planned) -> None:
    last_look = Line("u000", "i000", START + timedelta(weeks=40), "look", "product_view")
    plan = planned([*shoppers(users=80), last_look])
    assert plan.facts.people_before_cut > 0
    assert plan.facts.people_after_cut > 0
    assert plan.left_out() == {}
    years_later = planned([*shoppers(users=80), replace(last_look, at=START + timedelta(weeks=150))])
    assert years_later.left_out() == {}


def test_without_a_purchase_or_view_there_is_nothing_to_recommend(planned: Planned) -> None:
    with pytest.raises(DataRejected, match="there are no purchases, views, carts and ratings of items of the catalogue, so nothing can be"):
        planned([Line("u", "i000", START, "v", "page_view")])
    with pytest.raises(DataRejected, match="none of the 1 purchases has consent and an item of the catalogue"):
        planned([Line("u", "no-such-item", START, "v")])


def test_weeks_that_leave_nothing_to_learn_from_are_refused_with_those_that_would(planned: Planned) -> None:
    with pytest.raises(InvalidInput, match=r"test_weeks: .*got 4; leave it out: 1 weeks would be taken"):
        planned(shoppers(weeks=5), Requested(test_weeks=4))
    with pytest.raises(InvalidInput, match=r"test_weeks: with it the data is too short; got 80"):
        planned(shoppers(), Requested(test_weeks=80))


def test_buyers_that_no_item_has_are_refused_with_those_that_would(planned: Planned) -> None:
    with pytest.raises(InvalidInput, match=r"min_buyers: .*got 500; leave it out: 5 buyers would be taken"):
        planned(shoppers(users=80), Requested(min_buyers=500))


def test_what_was_asked_for_is_taken_where_it_works(planned: Planned) -> None:
    plan = planned(shoppers(users=80, weeks=40), Requested(test_weeks=6, ranking_windows=2, min_buyers=3))
    assert (plan.times.test_weeks, plan.facts.ranking_windows, plan.min_buyers) == (6, 2, 3)


def test_the_plan_measures_what_training_will(tmp_path: Path) -> None:
    dataset = open_dataset(write_dataset(tmp_path / "shop", shoppers(seed=9)))
    plan = plan_training(dataset, Requested())
    build_feature_tables(dataset.path, tmp_path / "features", FeatureOptions.of(plan.times))
    manifest = build_training_set(dataset.path, tmp_path / "features", tmp_path / "training", plan=plan)
    training = TrainingSet(tmp_path / "training")
    profile = DataProfile.of_parts(early_parts(training))
    assert plan.facts.repeat_share == pytest.approx(profile.repeat_share)
    assert plan.objective == profile.objective
    assert plan.facts.cut == manifest.cut
    assert plan.facts.ranking_windows == len(manifest.ranking_windows)
    assert plan.facts.snapshots == len(manifest.snapshots)
    assert plan.facts.trainable_items == int(training.eligible_at(manifest.ranking_windows[0]).sum())
    assert plan.facts.people_in_windows == len(training.users_at(manifest.ranking_windows[0]))
    assert plan.facts.examples <= manifest.examples


LINES = st.lists(
    st.builds(
        Line,
        user=st.none() | st.sampled_from([f"u{number}" for number in range(40)]),
        item=st.sampled_from([f"i{number:03}" for number in range(30)]),
        at=st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants naive bounds
        visit=st.sampled_from([f"v{number}" for number in range(60)]),
        kind=st.sampled_from(["purchase", "purchase", "product_view"]),
    ),
    min_size=1,
    max_size=200,
)


@given(lines=LINES, test_weeks=st.sampled_from([0, 0, 1, 4, 60]), min_buyers=st.sampled_from([0, 0, 2, 50]), data=st.data())
@examples(25)
def test_any_purchases_get_a_plan_or_one_sentence(lines: list[Line], test_weeks: int, min_buyers: int, data: st.DataObject) -> None:
    days = data.draw(st.sampled_from([1, 30, 730]))
    lines = [replace(line, at=START + (line.at - datetime(2025, 1, 1, tzinfo=UTC)) * days / 730) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        dataset = open_dataset(write_dataset(Path(folder) / "shop", lines, Catalogue(items=30)))
        try:
            plan = plan_training(dataset, Requested(test_weeks=test_weeks, min_buyers=min_buyers))
        except (DataRejected, InvalidInput) as refused:
            assert refused.fix
            return
    facts = plan.facts
    assert facts.first_purchase_at < facts.cut <= facts.last_event_at + timedelta(seconds=1)
    assert facts.people_judged <= min(facts.people_before_cut, facts.people_after_cut)
    assert facts.people_before_cut <= facts.people
    assert plan.trains("two_tower") == (plan.objective is not None)
    assert all(part.trained or part.reason for part in plan.parts.values())
    assert not plan.is_personal or facts.ranking_windows > 0
    assert not test_weeks or plan.times.test_weeks == test_weeks
    assert not min_buyers or plan.min_buyers == min_buyers
    assert plan_lines(plan)


def test_batches_shrink_with_the_examples() -> None:
    assert [batch_size(examples) for examples in (1_000_000, 20_480, 20_479, 2000, 0)] == [512, 512, 256, 32, 32]


def test_the_table_names_every_part_with_its_reason(tmp_path: Path) -> None:
    plan = plan_training(open_dataset(SHOPS["tills"](tmp_path / "shop")), Requested())
    lines = "\n".join(plan_lines(plan))
    assert "two tower" in lines
    assert "left out: no purchase names a person" in lines
    assert "without a person" in lines


def order_only(folder: Path, users: int) -> Path:
    """Sequences of 4 to 9 of 40 items, none twice."""
    random = np.random.default_rng(1)
    lines = [" ".join([f"u{user}", *map(str, random.permutation(40)[: random.integers(4, 10)])]) for user in range(users)]
    folder.mkdir()
    (folder / "lines.txt").write_text("\n".join(lines) + "\n")
    return import_sequences(SequenceFiles(folder / "lines.txt"), folder / "dataset", 0.0)[0].path


def test_an_order_without_times_is_judged_by_everybodys_last_step_and_ranked_by_the_one_before(tmp_path: Path) -> None:
    dataset = open_dataset(order_only(tmp_path / "order", users=60))
    plan = plan_training(dataset, Requested())
    assert not plan.knows_times
    assert (plan.objective, plan.min_buyers, set(plan.left_out())) == ("next_item", 1, {"complements"})
    assert (plan.facts.people_judged, plan.facts.ranking_windows, plan.facts.snapshots) == (60, 1, 0)
    assert plan.facts.cut == dataset.last_event_at + timedelta(seconds=1) - timedelta(days=1)
    features = tmp_path / "features"
    build_feature_tables(dataset.path, features, FeatureOptions.of(plan.times))
    manifest = build_training_set(dataset.path, features, tmp_path / "training", plan=plan)
    training = TrainingSet(tmp_path / "training")
    events = pl.read_parquet(dataset.table("events")).sort("user_id", "occurred_at").group_by("user_id", maintain_order=True)
    steps = events.agg("item_id").sort("user_id")["item_id"].to_list()
    for moment, back in ((manifest.cut, -1), (manifest.ranking_windows[0], -2)):
        labels = training.labels_at(moment).sort("user_id")["item_index"].to_list()
        assert [training.items.ids.name(index) for index in labels] == [items[back] for items in steps]
    assert sum(len(part) for part in early_parts(training)) == sum(len(items) - 2 for items in steps)


def test_of_many_people_with_an_order_only_some_are_judged_and_the_rest_teach_the_towers_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("endcap.dataset.sources.sequences.ENDING_LAST", 25)
    plan = plan_training(open_dataset(order_only(tmp_path / "order", users=60)), Requested())
    assert plan.facts.people_judged == plan.facts.people_after_cut == 25
    assert plan.facts.people_before_cut == 60


def test_a_timetable_that_is_given_whole_is_the_plans(planned: Planned) -> None:
    times = Timetable(test_weeks=2, ranking_windows=1)
    assert planned(shoppers(users=80), Requested(times=times)).times == times

from collections import Counter

import pytest

from endcap.contracts.request import Instance
from endcap_benchmarks.serving.home import HomeSize
from endcap_benchmarks.serving.load.mix import MIX, made_population, make_requests

SIZE = HomeSize(items=2_000, users=300)
POPULATION = made_population(SIZE)


def test_every_request_is_what_the_contract_asks_for() -> None:
    kinds, instances = make_requests(POPULATION, 400, seed=1)
    made = [Instance.model_validate(instance) for instance in instances]
    assert set(kinds) == set(MIX)
    assert {each.surface for each in made} == {"home", "product", "cart", "category", "search"}


def test_kinds_come_in_their_shares() -> None:
    kinds, _ = make_requests(POPULATION, 4_000, seed=2)
    counts = Counter(kinds)
    for kind, share in MIX.items():
        assert counts[kind] / 4_000 == pytest.approx(share, abs=0.03)


def test_nobody_comes_twice_before_all_have_been_there() -> None:
    _, instances = make_requests(POPULATION, 300, seed=3)
    known = [instance["user_id"] for instance in instances if str(instance.get("user_id", "")).startswith("U")]
    assert len(known) == len(set(known))


def test_the_same_seed_asks_the_same_and_another_one_asks_as_other_visitors() -> None:
    assert make_requests(POPULATION, 50, seed=4) == make_requests(POPULATION, 50, seed=4)
    visitors = [{instance.get("session_id") for instance in make_requests(POPULATION, 400, seed)[1]} - {None} for seed in (5, 6)]
    assert visitors[0] and visitors[1] and not visitors[0] & visitors[1]


def test_categories_and_items_are_those_of_the_catalogue() -> None:
    catalogue = SIZE.catalogue()
    assert set(POPULATION.categories) <= {name for number in range(SIZE.items) for name in catalogue.category_path(number)}
    assert len(set(POPULATION.items)) == len(POPULATION.items) == SIZE.items

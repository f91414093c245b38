"""The list as surface home shows it is judged, and a cap that ruins it is named."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import InvalidInput
from endcap.engine.surfaces.surface import Surface, SurfaceDiversity
from endcap.evaluation.as_shown import AVAILABLE, CAPS, DIVERSITY, FAMILIES, SHOWN, STEPS, VALUE, ShownSurface, home_surface, judge_shown
from endcap.evaluation.user_items import UserItems

ITEMS = 12
USERS = 40


def catalogue(categories: int, unavailable: tuple[int, ...] = (), families: int | None = None) -> ItemTable:
    numbers = range(1, ITEMS + 1)
    return ItemTable.from_items(
        pl.DataFrame(
            {
                "item_id": [f"i{number:02}" for number in numbers],
                "title": [f"Thing {number}" for number in numbers],
                "category_path": [[f"c{number % categories}"] for number in numbers],
                "brand": [None] * ITEMS,
                "family_id": [f"f{number % families}" if families else None for number in numbers],
                "price": [1.0] * ITEMS,
                "availability": ["out_of_stock" if number in unavailable else "in_stock" for number in numbers],
                "created_at": [datetime(2025, 1, 1, tzinfo=UTC)] * ITEMS,
            },
            schema_overrides={"brand": pl.String, "family_id": pl.String},
        )
    )


def surface(items: ItemTable, most: int | None = None, mmr: float = 0.0) -> ShownSurface:
    diversity = SurfaceDiversity(mmr=mmr, category_most=most, category_level=1)
    embeddings = np.eye(ITEMS + 1, ITEMS + 2, dtype=np.float32)
    return ShownSurface(Surface(sources={"popular": {}}, diversity=diversity), items, embeddings)


def everybodys() -> tuple[UserItems, dict[str, NDArray[np.float32]]]:
    """Every item for every user, the first ones the most likely."""
    index = np.tile(np.arange(1, ITEMS + 1, dtype=np.int32), USERS)
    buy = np.tile(np.linspace(0.9, 0.1, ITEMS, dtype=np.float32), USERS)
    return UserItems(np.repeat(np.arange(USERS), ITEMS), index, USERS), {"buy": buy}


def test_without_caps_the_list_is_its_order() -> None:
    pairs, probabilities = everybodys()
    made = surface(catalogue(3)).lists(pairs, probabilities, 5)
    for step in STEPS:
        np.testing.assert_array_equal(made[step].items, np.tile(np.arange(1, 6), (USERS, 1)))


def test_what_is_not_available_is_not_shown_and_caps_hold() -> None:
    pairs, probabilities = everybodys()
    made = surface(catalogue(3, unavailable=(1,)), most=1).lists(pairs, probabilities, 3)
    assert made[AVAILABLE].items[0].tolist() == [2, 3, 4]
    assert made[CAPS].items[0].tolist() == [2, 3, 4]
    narrow = surface(catalogue(2, unavailable=(1,)), most=1).lists(pairs, probabilities, 2)
    assert narrow[CAPS].items[0].tolist() == [2, 3]


def test_look_alikes_are_shown_once() -> None:
    pairs, probabilities = everybodys()
    made = surface(catalogue(3, families=4)).lists(pairs, probabilities, 4)
    assert made[VALUE].items[0].tolist() == made[FAMILIES].items[0].tolist() == [1, 2, 3, 4]
    of_two = surface(catalogue(3, families=2)).lists(pairs, probabilities, 2)
    assert of_two[FAMILIES].items[0].tolist() == [1, 2]
    of_one_kind = surface(catalogue(3, unavailable=(2, 4), families=2)).lists(pairs, probabilities, 2)
    assert of_one_kind[VALUE].items[0].tolist() == [1, 3]
    assert of_one_kind[FAMILIES].items[0].tolist() == [1, 6]


def test_users_without_candidates_get_empty_lists() -> None:
    pairs = UserItems(np.array([1]), np.array([3], np.int32), 3)
    made = surface(catalogue(3), most=4, mmr=0.5).lists(pairs, {"buy": np.array([0.5], np.float32)}, 4)
    assert made[SHOWN].items.tolist() == [[0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]


def test_a_cap_that_ruins_lists_is_named_with_what_it_takes() -> None:
    order = np.full(USERS, 0.4)
    capped = surface(catalogue(1), most=4, mmr=0.05)
    steps = {AVAILABLE: order, VALUE: order, FAMILIES: order, CAPS: order - 0.2, DIVERSITY: order - 0.21}
    shown = judge_shown("home", capped, order, steps, seed=1, metric="NDCG@10")
    assert shown.loss.mean == pytest.approx(-0.21)
    assert "the cap of 4 items of a category at level 1 takes 0.2000" in shown.warning
    assert "diversity" not in shown.warning
    assert shown.steps[CAPS] == pytest.approx(0.2)


def test_a_small_loss_or_one_inside_the_noise_is_no_warning() -> None:
    order = np.full(USERS, 0.4)
    slight = dict.fromkeys(STEPS, order - 0.01)
    assert judge_shown("home", surface(catalogue(3)), order, slight, seed=1, metric="NDCG@10").warning == ""
    noisy = np.where(np.arange(USERS) % 2, 0.9, -0.17)
    unsure = dict.fromkeys(STEPS, noisy)
    assert judge_shown("home", surface(catalogue(3)), order, unsure, seed=1, metric="NDCG@10").warning == ""


def test_the_surface_is_the_shipped_one_unless_another_is_given() -> None:
    assert home_surface({}).diversity.category_most == 4
    assert home_surface({"sources": {"popular": {}}, "diversity": {"mmr": 0.5}}).diversity.mmr == 0.5
    with pytest.raises(InvalidInput, match=r"home\.diversity\.mmr"):
        home_surface({"sources": {"popular": {}}, "diversity": {"mmr": 7}})

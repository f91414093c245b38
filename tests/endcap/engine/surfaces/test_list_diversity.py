import numpy as np
import pytest

from endcap.catalogue.category_levels import CategoryLevels
from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import InvalidInput
from endcap.engine.slate.assembly import assemble
from endcap.engine.surfaces.list_diversity import list_diversity
from endcap.engine.surfaces.surface import SurfaceDiversity, load_surfaces
from tests.endcap.catalogue.test_category_levels import catalogue

DEEP = catalogue([["Food", "Fruit"]] * 4 + [["Food", "Milk"]] * 4 + [["Home", "Cups"]] * 4 + [["Home", "Pans"]] * 4)
FLAT = catalogue([["Food"]] * 8 + [["Home"]] * 8)
INDEX = np.arange(1, 17, dtype=np.int32)
SCORE = np.linspace(1, 0.8, 16, dtype=np.float32)


def listed(items: ItemTable, diversity: SurfaceDiversity, dim: int = 4, *, is_capped: bool = True) -> list[int]:
    embeddings = np.tile(np.eye(dim, dtype=np.float32)[:1], (len(items), 1))
    found = list_diversity(diversity, INDEX, items, CategoryLevels.of(items), embeddings, is_capped=is_capped)
    return assemble(SCORE, 6, diversity=found).rows.tolist()


def test_the_finest_level_of_a_deep_tree_is_limited() -> None:
    assert listed(DEEP, SurfaceDiversity(category_most=2)) == [0, 1, 4, 5, 8, 9]
    assert listed(DEEP, SurfaceDiversity(category_most=3, category_level=1)) == [0, 1, 2, 8, 9, 10]


def test_a_flat_tree_and_a_list_that_is_not_to_be_capped_keep_the_order_of_the_scores() -> None:
    in_order = list(range(6))
    assert listed(FLAT, SurfaceDiversity(category_most=2)) == in_order
    assert listed(FLAT, SurfaceDiversity(category_most=2, category_level=3)) == in_order
    assert listed(DEEP, SurfaceDiversity(category_most=2), is_capped=False) == in_order
    assert listed(DEEP, SurfaceDiversity()) == in_order


def test_the_only_level_is_limited_when_it_is_named() -> None:
    assert listed(FLAT, SurfaceDiversity(category_most=3, category_level=1)) == [0, 1, 2, 8, 9, 10]


@pytest.mark.parametrize("dim", [1, 4])
def test_embeddings_that_tell_nothing_apart_leave_the_order(dim: int) -> None:
    assert listed(FLAT, SurfaceDiversity(mmr=0.5, category_most=2), dim) == list(range(6))


def test_nothing_to_mix_by_is_no_diversity() -> None:
    nothing = np.zeros((len(FLAT), 1), np.float32)
    assert list_diversity(SurfaceDiversity(mmr=0.5, category_most=2), INDEX, FLAT, CategoryLevels.of(FLAT), nothing) is None


def test_files_of_before_and_both_words_for_families_are_read(tmp_path) -> None:
    path = tmp_path / "surfaces.yaml"
    path.write_text("version: 1\nsurfaces: {home: {sources: {popular: {}}, diversity: {category_most: 4, category_level: 3}}}\n")
    home = load_surfaces(path).surfaces["home"]
    assert (home.diversity.category_level, home.families) == (3, "one")
    path.write_text("version: 1\nsurfaces: {home: {sources: {popular: {}}, families: some}}\n")
    with pytest.raises(InvalidInput, match="families"):
        load_surfaces(path)
    shipped = load_surfaces().surfaces
    assert {name for name, surface in shipped.items() if surface.families == "all"} == {"search"}

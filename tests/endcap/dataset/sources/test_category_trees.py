"""Categories that name the one above them become paths."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected
from endcap.dataset.sources.category_trees import LoadedTree, category_paths
from endcap.dataset.sources.lookup_mapping import CategoryTree
from tests.properties import examples


def placed(tmp_path: Path, text: str, ids: list[str | None], **options: str) -> list[list[str] | None]:
    (tmp_path / "tree.csv").write_text(text)
    tree = CategoryTree.model_validate({"files": "tree.csv", "id": "categoryid", "parent": "parentid", **options})
    frame = pl.DataFrame({"category": ids}, schema={"category": pl.String})
    return LoadedTree(tmp_path, "tables.items.category_tree", tree).placed(frame, "category")["category"].to_list()


def test_ids_become_paths_from_the_broadest_to_their_own(tmp_path: Path) -> None:
    tree = "categoryid,parentid\n1016,213\n213,\n809,1016\n5,0\n6,6\n7,NULL\n"
    assert placed(tmp_path, tree, ["809", "213", "5", "6", "7", "404", None, "1016.0"]) == [
        ["213", "1016", "809"],
        ["213"],
        ["5"],
        ["6"],
        ["7"],
        ["404"],
        None,
        ["213", "1016"],
    ]


def test_names_stand_in_the_path_where_there_are_some(tmp_path: Path) -> None:
    assert placed(tmp_path, "categoryid,parentid,name\n1,,Food\n2,1,Tea\n3,2,\n", ["3"], name="name") == [["Food", "Tea", "3"]]


def test_categories_above_themselves_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"category_tree: categories are above themselves: 1 < 3 < 2 < 1; leave the parent"):
        placed(tmp_path, "categoryid,parentid\n1,3\n2,1\n3,2\n", ["1"])


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("abcdefgh"), max_size=8))
@examples(100)
def test_any_tree_becomes_paths_or_is_refused(parents: dict[str, str | None]) -> None:
    try:
        paths = category_paths(parents, "p")
    except DataRejected as refused:
        assert "above themselves" in refused.message
        return
    for category, parent in parents.items():
        assert paths[category] == [*(paths.get(parent, [parent]) if parent else []), category]

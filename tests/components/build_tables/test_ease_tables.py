"""Where order matters EASE has tables of its own, as of every moment, and item-to-item is counted beside it."""

from pathlib import Path

import numpy as np
import pytest

from endcap.core.errors import InvalidInput
from endcap.training.data_profile import DataProfile
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import MANIFEST_NAME, TrainingSet
from endcap_components.build_tables.ease_table import EaseTable
from endcap_components.build_tables.neighbours import learned_from
from endcap_components.build_tables.step import build_tables
from endcap_components.train_two_tower.step import early_parts
from tests.endcap.training.made_artifacts import training_dir
from tests.endcap.training.made_plan import made_plan


def planned(folder: Path, objective: str | None) -> TrainingSet:
    """The taste shop's training set with a plan that says so."""
    folder.mkdir()
    for path in training_dir().iterdir():
        (folder / path.name).symlink_to(path)
    plan = made_plan().model_copy(update={"objective": objective})
    manifest = TrainingSet(training_dir()).manifest.model_copy(update={"plan": plan})
    (folder / MANIFEST_NAME).unlink()
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(), encoding="utf-8")
    return TrainingSet(folder)


@pytest.fixture(scope="module")
def next_item(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingSet, TablesArtifact]:
    folder = tmp_path_factory.mktemp("next_item")
    training = planned(folder / "training", "next_item")
    counts = build_tables(training.path, folder / "tables")
    assert counts["items_with_ease"] > 0
    return training, TablesArtifact(folder / "tables")


def test_every_moment_has_a_table_of_what_was_known_then(next_item: tuple[TrainingSet, TablesArtifact]) -> None:
    training, tables = next_item
    manifest = training.manifest
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        found = tables.at(moment).ease
        expected = EaseTable().made_from(learned_from(training, moment).interactions)
        assert (found.index.dtype, found.weight.dtype) == (np.int32, np.float16)
        assert found.index.shape == (len(training.items), EaseTable().neighbours)
        np.testing.assert_array_equal(found.index, expected.index)
        assert training.eligible_at(moment)[found.index[found.index > 0]].all()
    item = training.items.ids.code("t2-i03")
    assert training.items.ids.names[tables.at(manifest.cut).ease.index[item, 0] - 1].startswith("t2-")


def test_item_to_item_is_counted_beside_it(next_item: tuple[TrainingSet, TablesArtifact], tmp_path: Path) -> None:
    training, tables = next_item
    build_tables(training.path, tmp_path / "asked", item_to_item={"method": "item_to_item_cosine"})
    build_tables(planned(tmp_path / "training", "window").path, tmp_path / "window")
    here = tables.at(training.manifest.cut).item_to_item
    asked, window = (TablesArtifact(tmp_path / name).at(training.manifest.cut) for name in ("asked", "window"))
    np.testing.assert_array_equal(here.weight, asked.item_to_item.weight)
    assert not np.array_equal(here.weight, window.item_to_item.weight)
    assert window.ease.is_empty


def test_where_the_two_tower_is_left_out_there_is_none(tmp_path: Path) -> None:
    training = planned(tmp_path / "training", None)
    counts = build_tables(training.path, tmp_path / "tables")
    assert "items_with_ease" not in counts
    assert TablesArtifact(tmp_path / "tables").at(training.manifest.data_end).ease.is_empty
    assert not list((tmp_path / "tables").rglob("ease_*"))


@pytest.mark.parametrize(("objective", "use"), [("window", "always"), ("next_item", "never")])
def test_what_is_asked_for_comes_before_what_the_data_says(objective: str, use: str, tmp_path: Path) -> None:
    training = planned(tmp_path / "training", objective)
    build_tables(training.path, tmp_path / "tables", ease={"use": use, "neighbours": 7})
    found = TablesArtifact(tmp_path / "tables").at(training.manifest.cut).ease
    assert found.index.shape[1] == (7 if use == "always" else 0)


def test_without_a_plan_the_datas_profile_says_so() -> None:
    training = TrainingSet(training_dir())
    assert training.manifest.plan is None
    assert EaseTable().is_wanted(training) == (DataProfile.of_parts(early_parts(training)).objective == "next_item")


def test_items_that_are_not_learned_have_no_neighbours_in_it() -> None:
    training = TrainingSet(training_dir())
    table = EaseTable(side_max=5, neighbours=3).made_from(learned_from(training, training.manifest.cut).interactions)
    learned = np.flatnonzero(table.has_neighbours())
    assert 0 < len(learned) <= 5
    assert np.isin(table.index[table.index > 0], learned).all()


@pytest.mark.parametrize("asked", [{"use": "sometimes"}, {"neighbours": 0}, {"lambda": 3}])
def test_what_cannot_be_meant_is_refused_before_anything_is_read(asked: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=rf"ease\.{next(iter(asked))}"):
        build_tables(tmp_path / "missing", tmp_path / "tables", ease=asked)

from pathlib import Path
from shutil import copytree

import numpy as np
import polars as pl
import pytest

from endcap.features.columns import CONTEXT, CONTEXT_SIZES, PAIR_NUMERIC, PURCHASE_OBJECTIVES
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.shown_lists import SHOWN_NAME, SHOWN_SCHEMA, ShownLists
from endcap.training.training_set import MANIFEST_NAME, TrainingSet
from endcap_components.train_ranker.examples import RankingExamples, random_contexts, ranking_examples
from endcap_components.train_ranker.negatives import KeptShares
from tests.endcap.training.made_artifacts import QUOTAS, tables_dir, training_dir, two_tower_dir


@pytest.fixture(scope="module")
def examples() -> RankingExamples:
    return ranking_examples(
        TrainingSet(training_dir()),
        TablesArtifact(tables_dir()),
        TwoTowerArtifact(two_tower_dir()),
        QUOTAS,
        queries_max=1000,
        kept=KeptShares(bought=1.0, new=0.5),
        held_out_share=0.2,
        seed=0,
    )


def test_examples_are_what_retrieval_returned(examples: RankingExamples) -> None:
    sizes = np.diff(examples.start)
    assert (sizes > 0).all()
    assert sizes.max() <= QUOTAS.candidates_max
    assert examples.start[-1] == len(examples.item_row) == len(examples.pair_numeric) == len(examples.labels)
    assert 0 < examples.labels[:, 0].mean() < 0.5
    assert (examples.labels[:, 1] <= examples.labels[:, 0]).all()


def test_objectives_are_those_that_the_data_reaches(examples: RankingExamples) -> None:
    assert examples.objectives == PURCHASE_OBJECTIVES
    assert min(examples.happened.values()) > 0


def test_batch_gathers_the_queries_it_is_asked_for(examples: RankingExamples) -> None:
    queries = np.array([7, 2])
    batch = examples.batch(queries)
    second = batch["query_row"] == 1
    span = slice(examples.start[2], examples.start[3])
    np.testing.assert_array_equal(batch["pair_numeric"][second], examples.pair_numeric[span])
    np.testing.assert_array_equal(batch["item_numeric"][second], examples.item_numeric[examples.item_row[span]])
    assert batch["pair_numeric"].shape[1] == len(PAIR_NUMERIC)


def test_contexts_say_nothing_and_stay_within_bounds() -> None:
    contexts = random_contexts(500, 11, np.random.default_rng(0))
    assert (contexts >= 0).all()
    assert (contexts < np.array(CONTEXT_SIZES)).all()
    assert (contexts[:, CONTEXT.index("month")] == 11).all()
    assert len(np.unique(contexts[:, CONTEXT.index("hour")])) == 24


def test_candidates_are_weighed_by_what_persons_were_shown(tmp_path: Path) -> None:
    plain, weighed = _examples(training_dir()), _examples(_with_lists(tmp_path / "training"))
    assert plain.weight.max() < 4
    assert weighed.weight.max() == 4
    assert weighed.happened == plain.happened
    assert len(weighed.item_row) > len(plain.item_row)


def _examples(folder: Path) -> RankingExamples:
    training, kept = TrainingSet(folder), KeptShares(bought=1.0, new=0.5)
    tables, two_tower = TablesArtifact(tables_dir()), TwoTowerArtifact(two_tower_dir())
    return ranking_examples(training, tables, two_tower, QUOTAS, queries_max=1000, kept=kept, seed=0)


def _with_lists(folder: Path) -> Path:
    """A training set in which everybody was shown everything, by a chance of a quarter."""
    copytree(training_dir(), folder)
    training = TrainingSet(folder)
    window = training.manifest.ranking_windows[0]
    users = pl.DataFrame({"user_id": training.users_at(window).user_ids})
    items = pl.DataFrame({"item_index": np.arange(1, len(training.items), dtype=np.int32)})
    places = users.join(items, how="cross").with_columns(
        shown_at=pl.lit(window), look_chance=pl.lit(1.0), propensity=pl.lit(0.25), followed=pl.lit(True)
    )
    places.select(SHOWN_SCHEMA.names()).cast(SHOWN_SCHEMA).write_parquet(folder / SHOWN_NAME)
    facts = ShownLists(places=len(places), followed=len(places), users=len(users), share=1.0, examination="assumed: place^-0.5")
    (folder / MANIFEST_NAME).write_text(training.manifest.model_copy(update={"shown": facts}).model_dump_json())
    return folder

import numpy as np
import polars as pl
import pytest

from endcap.engine.retrieval.candidates import Candidates, CandidateSet, union
from endcap.features.columns import CONTEXT, CONTEXT_SIZES, OBJECTIVES, PAIR_NUMERIC
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.train_ranker.examples import RankingExamples, label, random_contexts, ranking_examples
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


def candidates_of(*items: int) -> CandidateSet:
    index = np.array(items, dtype=np.int32)
    return union({"popular": Candidates(index, np.linspace(1, 0.1, len(index), dtype=np.float32))}, 100)


def test_labels_are_what_each_user_bought() -> None:
    bought = pl.DataFrame(
        {"user_id": ["a", "a", "b"], "item_index": [1, 2, 3], "baskets": [1, 3, 1]},
        schema={"user_id": pl.String, "item_index": pl.Int32, "baskets": pl.Int32},
    )
    found = label(["b", "a"], [candidates_of(1, 3), candidates_of(2, 1, 3)], bought)
    buy, again = (found[:, OBJECTIVES.index(name)].tolist() for name in ("buy", "buy_again"))
    assert buy == [0, 1, 1, 1, 0]
    assert again == [0, 0, 1, 0, 0]


def test_nobody_bought_anything() -> None:
    nothing = pl.DataFrame(schema={"user_id": pl.String, "item_index": pl.Int32, "baskets": pl.Int32})
    assert (label(["a"], [candidates_of(1, 2)], nothing) == 0).all()


def test_examples_are_what_retrieval_returned(examples: RankingExamples) -> None:
    sizes = np.diff(examples.start)
    assert (sizes > 0).all()
    assert sizes.max() <= QUOTAS.candidates_max
    assert examples.start[-1] == len(examples.item_row) == len(examples.pair_numeric) == len(examples.labels)
    assert 0 < examples.labels[:, 0].mean() < 0.5
    assert (examples.labels[:, 1] <= examples.labels[:, 0]).all()


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

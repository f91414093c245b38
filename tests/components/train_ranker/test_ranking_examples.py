import numpy as np
import pytest

from endcap.features.columns import CONTEXT, CONTEXT_SIZES, PAIR_NUMERIC, PURCHASE_OBJECTIVES
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.training_set import TrainingSet
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

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endcap.core.errors import InvalidInput
from endcap.features.columns import ITEM_NUMERIC
from endcap.training.training_set import TrainingSet
from endcap.training.workers import Worker
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.window.batches import BatchSource, Inputs
from tests.endcap.training.made_artifacts import training_dir
from tests.endcap.training.made_examples import made_shards


def source(sampled: bool, **parameters: object) -> BatchSource:
    training = TrainingSet(training_dir())
    trained = np.flatnonzero(training.eligible_at(training.manifest.ranking_windows[0]))
    place = np.full(len(training.items), -1, dtype=np.int32)
    place[trained] = np.arange(len(trained))
    numeric = np.zeros((len(training.manifest.snapshots), len(trained), len(ITEM_NUMERIC)), dtype=np.float32)
    chosen = TwoTowerHyperparameters(batch_size=32, negatives=50, **parameters)
    return BatchSource(training.examples, numeric, place, chosen, sampled, seed=0)


def known_users(batches: list[Inputs]) -> list[bytes]:
    """What tells one example from another, in order; blank ones are left out."""
    rows = [
        (row.tobytes(), context.tobytes()) for batch in batches for row, context in zip(batch["history"], batch["context"], strict=True)
    ]
    return sorted(row + context for row, context in rows if any(row))


@pytest.mark.parametrize("workers", [Worker(), Worker(count=3), Worker(count=2, replicas=2), Worker(count=7)])
def test_workers_see_every_example_once_in_as_many_steps(workers: Worker) -> None:
    batches = source(sampled=False, session_share=0.0)
    alone = list(batches.epoch(0))
    together = [list(batches.epoch(0, Worker(index, workers.count, workers.replicas))) for index in range(workers.count)]
    assert {len(own) for own in together} == {batches.steps(workers) * workers.replicas}
    assert known_users([batch for own in together for batch in own]) == known_users(alone)


def test_steps_hardly_depend_on_the_workers_when_shards_are_many(tmp_path: Path) -> None:
    batches = replace(source(sampled=False), shards=made_shards(tmp_path / "examples", [[96, 80], [90, 64], [96, 96]] * 4))
    steps = batches.steps(Worker())
    assert [batches.steps(Worker(count=count)) for count in (2, 3, 4)] == pytest.approx([steps] * 3, rel=0.06)


def test_restarted_worker_goes_on_where_it_was() -> None:
    batches, worker = source(sampled=False), Worker(1, 2, 2)
    steps = batches.steps(worker)
    whole = itertools.islice(batches.batches(worker), 2 * steps * worker.replicas)
    late = itertools.islice(batches.batches(worker, first_step=steps + 1), (steps - 1) * worker.replicas)
    for one, other in zip(itertools.islice(whole, (steps + 1) * worker.replicas, None), late, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])


def test_epochs_have_orders_of_their_own() -> None:
    batches = source(sampled=False)
    first, again, second = (next(iter(batches.epoch(number)))["history"] for number in (0, 0, 1))
    assert first.tolist() == again.tolist() != second.tolist()


def test_repeat_weight_of_zero_asks_only_for_new_items_and_leaves_known_ones_out() -> None:
    batches = source(sampled=False, repeat_weight=0.0, session_share=0.0)
    for batch in batches.epoch(0):
        targets = set(zip(batch["row"].tolist(), batch["target"].tolist(), strict=True))
        known = set(zip(batch["left_out_row"].tolist(), batch["left_out"].tolist(), strict=True))
        assert known
        assert not targets & known


def test_targets_among_the_samples_are_left_out() -> None:
    for batch in source(sampled=True).epoch(0):
        left_out = set(zip(batch["left_out_row"].tolist(), batch["left_out"].tolist(), strict=True))
        for row, target in zip(batch["row"][:50].tolist(), batch["target"][:50].tolist(), strict=True):
            hits = np.flatnonzero(batch["sampled"] == target)
            assert all((row, int(hit)) in left_out for hit in hits)
        assert batch["sampled_log_q"].shape == batch["sampled"].shape


def test_unknown_hyperparameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"hyperparameters\.depth"):
        TwoTowerHyperparameters.of({"depth": 3})

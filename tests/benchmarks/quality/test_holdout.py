"""Holdout: a data set's own held-out purchases are judged; carts teach when they are asked for, and stand in no list either way."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import Signals
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.sources.sequences import SequenceFiles, import_sequences
from endcap_benchmarks.quality.protocols.holdout import HELD_OUT, holdout_task
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases, read_recorded_purchases
from endcap_benchmarks.quality.recorded_signals import signal_codes
from endcap_benchmarks.quality.task import RankingTask

PURCHASES, BOTH = signal_codes(["purchases"]), signal_codes(["purchases", "carts"])


@pytest.fixture
def recorded(sets_with_carts: RecordedPurchases) -> RecordedPurchases:
    return sets_with_carts


def pairs(task: RankingTask, interactions: Interactions) -> dict[int, set[str]]:
    return {
        row: {task.items.ids.name(int(code)) for code in interactions.item_index[interactions.user_row == row]}
        for row in range(interactions.users)
    }


def test_lists_hold_neither_bought_nor_carted_items_with_and_without_carts(recorded: RecordedPurchases) -> None:
    hidden = [holdout_task(recorded, "test", codes).truths[HELD_OUT].hidden for codes in (PURCHASES, BOTH)]
    assert hidden[0] is not None
    assert hidden[1] is not None
    assert hidden[0].keys.tolist() == hidden[1].keys.tolist()
    assert hidden[1].counts.tolist() == [4, 3]


def test_carts_count_half_a_purchase(recorded: RecordedPurchases) -> None:
    task = holdout_task(recorded, "test", BOTH)
    assert pairs(task, task.histories) == {0: {"1", "2", "3", "6"}, 1: {"2", "4", "5"}}
    half = Signals().add_to_cart.weight
    assert task.histories.bought.toarray()[0].tolist() == [0, 1, 1, 1, 0, 0, half]
    alone = holdout_task(recorded, "test", PURCHASES)
    assert pairs(alone, alone.histories) == {0: {"1", "2", "3"}, 1: {"2", "4"}}
    assert alone.histories.weight is None


def test_the_truth_of_the_test_is_the_holdout_and_nothing_is_learned_of_it(recorded: RecordedPurchases) -> None:
    task = holdout_task(recorded, "test", BOTH)
    assert list(task.user_ids) == ["a", "b"]
    truth = task.truths[HELD_OUT].items
    assert [task.items.ids.name(int(code)) for code in truth.item_index] == ["5", "1"]
    assert "5" not in pairs(task, task.training.interactions)[0]


def test_validation_takes_one_purchase_a_person_out_of_everything_that_is_learned(recorded: RecordedPurchases) -> None:
    task = holdout_task(recorded, "validation", BOTH)
    assert list(task.user_ids) == ["a", "b"]
    truth = task.truths[HELD_OUT].items
    taken = [task.items.ids.name(int(code)) for code in truth.item_index]
    assert taken[0] in {"1", "2", "3"}
    assert taken[1] in {"2", "4"}
    assert pairs(task, task.histories) == {0: {"1", "2", "3", "6"} - {taken[0]}, 1: {"2", "4", "5"} - {taken[1]}}


def test_nothing_is_weighed_by_an_order_that_means_nothing(recorded: RecordedPurchases) -> None:
    task = holdout_task(recorded, "test", BOTH)
    assert not np.any(task.training.interactions.age_days)


def test_a_dataset_without_a_holdout_is_refused(sequences: RecordedPurchases) -> None:
    with pytest.raises(DataRejected, match="holds no purchases out"):
        holdout_task(sequences, "test", PURCHASES)


def test_unknown_signals_are_named() -> None:
    with pytest.raises(InvalidInput, match="--signals: no such signal; got 'carts,clicks'; name some of purchases,carts,views"):
        signal_codes(["carts", "clicks"])


def test_of_a_dataset_that_knows_an_order_validation_is_the_last_purchase(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a 3 1 2\n")
    (tmp_path / "test.txt").write_text("a 4\nb 1\n")
    (tmp_path / "train.txt").write_text("a 3 1 2\nb 4\n")
    files = SequenceFiles(tmp_path / "train.txt", holdout=tmp_path / "test.txt")
    recorded = read_recorded_purchases(import_sequences(files, tmp_path / "dataset", 0.0)[0].path)
    task = holdout_task(recorded, "validation", PURCHASES)
    assert pl.Series(task.user_ids).to_list() == ["a"]
    assert task.truths[HELD_OUT].items.item_index.tolist() == [2]
    assert task.histories.age_days.tolist() == [1.0, 0.0]

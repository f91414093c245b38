"""Accuracy metrics agree with an independent library."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.evaluation.accuracy import ACCURACY, accuracy
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems
from tests.properties import examples

RANX_NAMES = {"precision": "precision", "recall": "recall", "hr": "hit_rate", "mrr": "mrr", "ndcg": "ndcg"}
ITEMS = 40


@st.composite
def lists_and_truths(draw: st.DrawFn) -> tuple[RankedLists, UserItems]:
    users = draw(st.integers(1, 8))
    length = draw(st.integers(1, 25))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    items = np.stack([random.permutation(np.arange(1, ITEMS + 1))[:length] for _ in range(users)]).astype(np.int32)
    truths = [random.choice(np.arange(1, ITEMS + 1), size=random.integers(1, 15), replace=False) for _ in range(users)]
    rows = np.repeat(np.arange(users, dtype=np.int64), [len(truth) for truth in truths])
    return RankedLists(items), UserItems(rows, np.concatenate(truths).astype(np.int32), users)


@given(lists_and_truths(), st.sampled_from([1, 3, 10, 20]))
@examples(40)
def test_accuracy_equals_ranx(case: tuple[RankedLists, UserItems], k: int) -> None:
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # ranx compiles for a minute otherwise
    from ranx import Qrels, Run, evaluate

    lists, truth = case
    qrels = Qrels({f"u{row}": {f"i{item}": 1 for item in truth.item_index[truth.user_row == row]} for row in range(truth.users)})
    run = Run({f"u{row}": {f"i{item}": float(100 - place) for place, item in enumerate(lists.items[row])} for row in range(truth.users)})
    expected = evaluate(qrels, run, [f"{RANX_NAMES[name]}@{k}" for name in ACCURACY], make_comparable=True)
    found = accuracy(lists.hits(truth), truth.counts, k)
    for name in ACCURACY:
        assert found[name].mean() == pytest.approx(expected[f"{RANX_NAMES[name]}@{k}"], abs=1e-9), name


def test_an_oracle_is_perfect() -> None:
    truth = UserItems(np.array([0, 0, 1]), np.array([3, 5, 9], dtype=np.int32), 2)
    lists = RankedLists(np.array([[5, 3, 1], [9, 2, 4]], dtype=np.int32))
    found = accuracy(lists.hits(truth), truth.counts, 3)
    assert all((found[name] == 1.0).all() for name in ("recall", "hr", "mrr", "ndcg"))
    assert found["precision"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_an_empty_list_has_no_hits() -> None:
    truth = UserItems(np.array([0]), np.array([3], dtype=np.int32), 1)
    found = accuracy(RankedLists(np.zeros((1, 10), dtype=np.int32)).hits(truth), truth.counts, 10)
    assert all((found[name] == 0).all() for name in ACCURACY)

"""The blend of counting algorithms learns from purchases held out of what it is given."""

import numpy as np

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import PURCHASE_CODE
from endcap_benchmarks.quality.models.counted_blend import CountedBlend, hold_out_purchases
from endcap_benchmarks.quality.models.normalised_svd import NormalisedSvd

ITEMS, USERS, EACH = 30, 120, 6


def kinds() -> Interactions:
    """People who buy among the first or the second half of the items, each item carted before it is bought, the last one carted alone."""
    rng = np.random.default_rng(4)
    items = np.stack([rng.permutation(15)[:EACH] + 1 + 15 * (user % 2) for user in range(USERS)])
    each = np.concatenate([np.repeat(items[:, :-1], 2, axis=1), items[:, -1:]], axis=1).astype(np.int32)
    signal = np.array([*[2, PURCHASE_CODE] * (EACH - 1), 2], dtype=np.uint8)
    count = each.shape[1]
    return Interactions(
        start=np.arange(USERS + 1, dtype=np.int64) * count,
        item_index=each.ravel(),
        age_days=np.zeros(USERS * count, dtype=np.float32),
        item_count=ITEMS,
        signal=np.tile(signal, USERS),
        weight=np.tile(np.where(signal == PURCHASE_CODE, 1.0, 0.5), USERS).astype(np.float32),
    )


def test_a_purchase_is_held_out_with_its_cart_addition() -> None:
    everything = kinds()
    rest, held_out = hold_out_purchases(everything, np.random.default_rng(1))
    assert held_out.histories.users == USERS // 2
    assert len(everything) - len(rest) == 2 * held_out.histories.users
    bought = everything.item_index.reshape(USERS, -1)[:, -2]
    assert set(held_out.next_item.tolist()) <= set(bought.tolist())
    assert not (held_out.histories.item_index == held_out.next_item[held_out.histories.user_row]).any()


def test_people_are_recommended_what_their_kind_buys() -> None:
    data = TrainingData(kinds(), None, np.zeros((ITEMS + 1, 0), dtype=np.int32))
    scores = CountedBlend().fit(data, seed=2).scores(data.interactions.of_users(np.array([0, 1])))
    assert scores[0, 1:16].mean() > scores[0, 16:].mean()
    assert scores[1, 16:].mean() > scores[1, 1:16].mean()
    assert scores[0, 0] == -np.inf


def test_normalised_svd_rebuilds_what_kinds_of_people_buy() -> None:
    data = TrainingData(kinds(), None, np.zeros((ITEMS + 1, 0), dtype=np.int32))
    scores = NormalisedSvd(factors=2).fit(data, seed=1).scores(data.interactions.of_users(np.array([0, 1])))
    assert scores[0, 1:16].min() > scores[0, 16:].max()
    assert scores[1, 16:].min() > scores[1, 1:16].max()

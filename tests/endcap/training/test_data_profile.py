import numpy as np
import pytest

from endcap.algorithms.interactions import Interactions
from endcap.training.data_profile import DataProfile


def interactions(users: list[list[int]], item_count: int = 9) -> Interactions:
    start = np.concatenate([[0], np.cumsum([len(items) for items in users])]).astype(np.int64)
    index = np.concatenate([np.asarray(items, dtype=np.int32) for items in users])
    return Interactions(start, index.astype(np.int32), np.zeros(len(index), dtype=np.float32), item_count)


def profile(**values: float) -> DataProfile:
    shape = {"users": 100, "items": 50, "interactions": 1000, "repeat_share": 0.0, "mean_length": 10.0, "density": 0.1}
    return DataProfile(**(shape | values))  # type: ignore[arg-type]


def test_profile_counts_people_with_purchases_and_items_bought() -> None:
    measured = DataProfile.of(interactions([[1, 2, 1, 1], [], [3, 4]]))
    assert (measured.users, measured.items, measured.interactions) == (2, 4, 6)
    assert measured.repeat_share == pytest.approx(2 / 6)
    assert measured.mean_length == 3.0
    assert measured.density == pytest.approx(4 / 8)


def test_nothing_has_a_profile_too() -> None:
    assert DataProfile.of(interactions([[], []])) == DataProfile(0, 0, 0, 0.0, 0.0, 0.0)


def test_objective_follows_the_repeat_rate() -> None:
    assert profile(repeat_share=0.6).objective == "window"
    assert profile(repeat_share=0.01).objective == "next_item"


def test_short_histories_are_averaged() -> None:
    assert profile(mean_length=2.0).history_encoder == "mean"
    assert profile(mean_length=6.0).history_encoder == "decayed_attention"


def test_dropout_never_rises_with_interactions_an_item() -> None:
    rates = [profile(interactions=count).dropout for count in (100, 1_000, 5_000, 20_000, 1_000_000)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[-1]


def test_width_grows_with_the_data() -> None:
    assert profile(interactions=1_000).width < profile(interactions=1_000_000).width


def test_parts_of_the_users_have_the_profile_of_all() -> None:
    users = [[1, 2, 1, 1], [], [3, 4], [4, 4, 5]]
    assert DataProfile.of_parts([interactions(users[:1]), interactions(users[1:])]) == DataProfile.of(interactions(users))

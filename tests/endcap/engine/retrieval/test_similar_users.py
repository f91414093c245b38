import numpy as np

from endcap.engine.retrieval.similar_users import NEIGHBOURS, SimilarUsers, similar_users_candidates

NORTH, SOUTH = [1.0, 0.0], [-1.0, 0.0]
USERS = SimilarUsers(
    embedding=np.array([NORTH, NORTH, SOUTH], np.float32),
    index=np.array([[1, 2], [2, 0], [3, 4]], np.int32),
    weight=np.array([[0.6, 0.4], [1, 0], [0.5, 0.5]], np.float32),
)


def everything(index: np.ndarray) -> np.ndarray:
    return np.ones(len(index), dtype=bool)


def test_neighbours_vote_and_those_of_the_opposite_taste_do_not() -> None:
    found = similar_users_candidates(USERS, np.array(NORTH, np.float32), everything, 10)
    assert found.index.tolist() == [2, 1]


def test_a_nearer_user_weighs_more() -> None:
    query = np.array([0.6, 0.8], np.float32)
    users = SimilarUsers(np.array([NORTH, [0.6, 0.8]], np.float32), np.array([[1], [2]], np.int32), np.ones((2, 1), np.float32))
    assert similar_users_candidates(users, query, everything, 10).index.tolist() == [2, 1]


def test_only_the_nearest_users_are_asked() -> None:
    count = NEIGHBOURS + 5
    angle = np.linspace(0, 1, count)
    users = SimilarUsers(
        np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32),
        np.arange(1, count + 1, dtype=np.int32)[:, None],
        np.ones((count, 1), np.float32),
    )
    found = similar_users_candidates(users, np.array(NORTH, np.float32), everything, 100)
    assert sorted(found.index.tolist()) == list(range(1, NEIGHBOURS + 1))


def test_the_quota_is_spent_on_what_may_be_shown() -> None:
    assert similar_users_candidates(USERS, np.array(NORTH, np.float32), lambda index: index != 2, 1).index.tolist() == [1]


def test_without_known_users_there_is_nothing() -> None:
    assert not len(similar_users_candidates(SimilarUsers.none(2), np.array(NORTH, np.float32), everything, 10).index)

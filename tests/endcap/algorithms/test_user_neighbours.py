"""The people who share most are asked, and only they."""

import numpy as np

from endcap.algorithms.user_neighbours import UserNeighbours
from tests.endcap.algorithms.made_data import interactions_of, training_data


def test_only_the_nearest_are_asked() -> None:
    data = training_data([[1, 2, 3], [1, 4], [5, 6]], 6)
    asked = interactions_of([[1, 2]], 6)
    one = UserNeighbours(neighbours=1).fit(data, seed=0).scores(asked)
    assert np.flatnonzero(np.isfinite(one[0])).tolist() == [1, 2, 3]
    two = UserNeighbours(neighbours=2).fit(data, seed=0).scores(asked)
    assert np.flatnonzero(np.isfinite(two[0])).tolist() == [1, 2, 3, 4]
    assert two[0, 3] > two[0, 4]

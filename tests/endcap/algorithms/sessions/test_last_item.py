"""What is recommended beside a visit's newest item alone."""

import numpy as np

from endcap.algorithms.sessions.association_rules import AssociationRules
from endcap.algorithms.sessions.item_to_item import SessionItemToItem
from tests.endcap.algorithms.made_data import interactions_of, training_data

VISITS = [[1, 2], [1, 2], [1, 3], [3, 4], [3, 4], [3, 4], [3, 4]]


def test_rules_score_the_share_of_the_items_visits() -> None:
    scores = AssociationRules().fit(training_data(VISITS, 5), 1).scores(interactions_of([[4, 1]], 5))[0]
    np.testing.assert_allclose(scores[[2, 3]], [2 / 3, 1 / 3], rtol=1e-3)
    assert np.isneginf(scores[[0, 1, 4, 5]]).all()


def test_item_to_item_counts_what_is_common_everywhere_less() -> None:
    scores = SessionItemToItem(shrinkage=0).fit(training_data([[1, 2], [1, 2], *[[1, 3]] * 2, *[[3, 4]] * 9], 5), 1)
    found = scores.scores(interactions_of([[4, 1]], 5))[0]
    assert found[2] > found[3]
    assert np.isneginf(found[4])

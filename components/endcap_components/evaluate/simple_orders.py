"""Simple methods as orders of candidates, computed from what the ranker is given: one graph for evaluation and for the served bundle."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.evaluation import Calibration, Ordering
from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap.training.scoring import Signature
from endcap_components.train_ranker.calibration import PlattScaling

POPULAR = "popular"
ITEM_TO_ITEM = "item_to_item"
_OWN: Mapping[str, str] = {"own_most_bought": "times_bought", "own_decayed": "decayed_60d"}
METHODS = (*_OWN, ITEM_TO_ITEM, POPULAR)
LOGIT_MAX = 13.0
"""Probabilities stay where float32 tells them apart and where the value of showing an item takes them as they are."""
UNJUDGED_OFFSET = -6.0
"""Log odds of a purchase of an item that nothing speaks for, where no user could be judged."""


def order_of(method: str, item_numeric: tf.Tensor, pair_numeric: tf.Tensor) -> tf.Tensor:
    """The method's order of m candidates, float32 [m], 0 or more, higher is better.

    What the person never bought stands behind the own items in the order of item-to-item, what item-to-item does not know in the order of
    popularity: a list of own items alone would show nobody anything new.

    Args:
        method: one of METHODS.
        item_numeric: float32 [m, len(ITEM_NUMERIC)].
        pair_numeric: float32 [m, len(PAIR_NUMERIC)].
    """
    # Where nobody buys, or two items sell alike, it is looks that tell.
    viewed = tf.maximum(item_numeric[:, ITEM_NUMERIC.index("views_28d")], 0.0)
    behind_month = tf.maximum(item_numeric[:, ITEM_NUMERIC.index("purchases_90d")], 0.0) + viewed / (1.0 + viewed)
    popular = tf.maximum(item_numeric[:, ITEM_NUMERIC.index("purchases_28d")], 0.0) + behind_month / (1.0 + behind_month)
    if method == POPULAR:
        return popular
    # The source's score counts the present visit as well, and leaves out what was bought before.
    related = tf.maximum(*(pair_numeric[:, PAIR_NUMERIC.index(name)] for name in ("bought_with", "item_to_item_score")))
    behind = popular / (1.0 + popular)
    if method == ITEM_TO_ITEM:
        return tf.where(related > 0, 1.0 + related, behind)
    own = pair_numeric[:, PAIR_NUMERIC.index(_OWN[method])]
    return tf.where(own > 0, 2.0 + own, tf.where(related > 0, 1.0 + related / (1.0 + related), behind))


def probability_of(order: tf.Tensor, calibration: Calibration) -> tf.Tensor:
    """float32 [m] in (0, 1), in the same order."""
    return tf.sigmoid(tf.clip_by_value(calibration.slope * tf.math.log1p(order) + calibration.offset, -LOGIT_MAX, LOGIT_MAX))


def with_orders(rank: Signature) -> Signature:
    """The signature with the order of every method among its outputs."""

    def ranked(**inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        return {**rank(**inputs), **{name: order_of(name, inputs["item_numeric"], inputs["pair_numeric"]) for name in METHODS}}

    return ranked


def calibration_of(ordering: Ordering, objective: str) -> Calibration:
    """What was fitted; where nobody could be judged, the order as it is."""
    return ordering.calibration.get(objective, Calibration(slope=1.0, offset=UNJUDGED_OFFSET))


def method_signature(method: str, calibration: Mapping[str, Calibration]) -> Signature:
    """A `rank` that gives a method's order as probabilities, one an objective."""

    def rank(**inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        order = order_of(method, inputs["item_numeric"], inputs["pair_numeric"])
        return {objective: probability_of(order, each) for objective, each in calibration.items()}

    return rank


def fit_calibration(order: NDArray[np.float32], happened: NDArray[np.bool_]) -> Calibration:
    """What a method's order says of an objective; where nothing or everything happened, the share that did, a little higher up the order.

    Args:
        order: float32 [m], of the evaluated users' candidates.
        happened: bool [m].
    """
    count, yes = len(happened), int(happened.sum())
    if not 0 < yes < count:
        share = (yes + 1) / (count + 2)
        return Calibration(slope=1.0, offset=float(np.log(share / (1 - share))))
    fitted = PlattScaling.fit(np.log1p(order), happened.astype(np.float32))
    return Calibration(slope=fitted.slope, offset=fitted.offset)

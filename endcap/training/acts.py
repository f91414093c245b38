"""Acts: a view, a cart and a purchase of one item in one visit are one thing that a person did, and none of them foretells another."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import PURCHASE_CODE, SIGNAL_TYPES, Signals

VISIT_GAP_DAYS = 1800 / DAY_S
"""A visit ends with half an hour without an event, as web analytics count it."""


def act_steps(interactions: Interactions, signals: Signals) -> Interactions:
    """The steps that a tower learns from.

    An act is a target at its first step, where nothing of it has been seen, and counts there what its strongest touch counts. What is
    shown before a target is what was known when its act began.

    Args:
        interactions: with signals; their weights are what touches count as targets, and those of `signals` where they have none.
        signals: which types are predicted.

    Returns:
        As `joined_touches`. `weight` is what each step counts as a target: 0 where its item was touched in the same visit before, or where
        nothing of the act is predicted.
    """
    signal = _signal(interactions)
    counted = signals.weights[signal] if interactions.weight is None else interactions.weight
    counted = np.where(predicted_types(signals)[signal], np.maximum(counted, 0.0), 0.0).astype(np.float32)
    act = act_keys(interactions)
    by_act = np.argsort(act, kind="stable")
    first_of_act = np.flatnonzero(np.diff(act[by_act], prepend=-1))
    weight = np.zeros(len(interactions), dtype=np.float32)
    if len(first_of_act):
        weight[by_act[first_of_act]] = np.maximum.reduceat(counted[by_act], first_of_act)
    return replace(joined_touches(interactions), weight=weight[_step_begins(interactions)])


def joined_touches(interactions: Interactions) -> Interactions:
    """Touches of an item with no other item between them as one step.

    Args:
        interactions: with signals.

    Returns:
        The steps, of the same users. A step has the age of its last touch and the strongest type that it reached: the one with the lowest
        code. Only a purchase of an earlier visit stays a step of its own.
    """
    begins = _step_begins(interactions)
    place = np.flatnonzero(begins)
    signal = _signal(interactions)
    return Interactions(
        start=np.concatenate([[0], np.cumsum(begins)])[interactions.start].astype(np.int64),
        item_index=interactions.item_index[place],
        age_days=interactions.age_days[np.append(place[1:], len(begins)) - 1] if len(place) else interactions.age_days,
        item_count=interactions.item_count,
        signal=np.minimum.reduceat(signal, place) if len(place) else signal,
    )


def act_keys(interactions: Interactions) -> NDArray[np.int64]:
    """int64 [p]: the act of each interaction; touches of one item in one visit of one person share it, later visits have higher ones."""
    is_new = np.ones(len(interactions), dtype=np.bool_)
    is_new[1:] = (np.diff(interactions.user_row) != 0) | (_is_apart(interactions) & _step_begins(interactions)[1:])
    visit = np.cumsum(is_new)
    keys: NDArray[np.int64] = visit * (interactions.item_count + 1) + interactions.item_index
    return keys


def _step_begins(interactions: Interactions) -> NDArray[np.bool_]:
    """bool [p]: where a step begins."""
    begins = np.ones(len(interactions), dtype=np.bool_)
    same = (np.diff(interactions.user_row) == 0) & (np.diff(interactions.item_index) == 0)
    is_over = _is_apart(interactions) & (_signal(interactions)[:-1] == PURCHASE_CODE)
    begins[1:] = ~same | is_over
    return begins


def predicted_types(signals: Signals) -> NDArray[np.bool_]:
    """bool [len(SIGNAL_TYPES) + 1], by code: which types are targets."""
    return np.array([False, *(signals.of(code).predicted for code in range(1, len(SIGNAL_TYPES) + 1))])


def history_types(signals: Signals) -> NDArray[np.bool_]:
    """bool [len(SIGNAL_TYPES) + 1], by code: which types a history shows; one without weight taught nothing, so nothing is read of it."""
    return np.array([False, *(signals.of(code).history and signals.of(code).weight > 0 for code in range(1, len(SIGNAL_TYPES) + 1))])


def _is_apart(interactions: Interactions) -> NDArray[np.bool_]:
    """bool [p - 1]: whether a visit lies between an interaction and the next."""
    return -np.diff(interactions.age_days) > VISIT_GAP_DAYS


def _signal(interactions: Interactions) -> NDArray[np.uint8]:
    if interactions.signal is None:
        return np.full(len(interactions), PURCHASE_CODE, dtype=np.uint8)
    return interactions.signal

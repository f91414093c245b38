"""Leaving out most candidates that nobody bought, with weights that give the rest back their number.

Without the weights new items, which are seldom bought, would look as likely as those bought before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.retrieval.user_state import UserState
from endcap_components.train_ranker.shown_weights import ShownWeights


@dataclass(frozen=True)
class KeptShares:
    """Shares of the candidates kept that were not bought within the horizon: of those bought before, and of those new to the user."""

    bought: float
    new: float


EVERY_CANDIDATE = KeptShares(1.0, 1.0)


def drawn_users(user_ids: Sequence[str], share: float, rng: np.random.Generator) -> set[str]:
    """A draw of the users, at least one."""
    return set(rng.choice(np.array(user_ids, dtype=object), max(1, int(len(user_ids) * share)), replace=False))


def thinned(  # noqa: PLR0917
    states: Sequence[UserState],
    found: Sequence[CandidateSet],
    labels: NDArray[np.float32],
    kept: KeptShares,
    held_out: NDArray[np.bool_],
    rng: np.random.Generator,
    shown: ShownWeights | None = None,
) -> tuple[list[CandidateSet], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Keep every candidate that was bought or shown, all candidates of held-out users, and a share of the others.

    Args:
        states: u users.
        found: candidates of each, m in all.
        labels: float32 [m, objectives].
        kept: shares.
        held_out: bool [u].
        rng: of the draw.
        shown: [m], what of them was shown; a no to it is one that somebody gave.

    Returns:
        For the k candidates that are kept: their sets, labels (float32 [k, objectives]), weights (float32 [k], one over the share, times
        that of what was shown) and whether they are new to their user (bool [k]).
    """
    is_new = np.concatenate([~state.bought_before(each.index) for state, each in zip(states, found, strict=True)])
    sizes = [len(each) for each in found]
    share = np.where(is_new, np.float32(kept.new), np.float32(kept.bought))
    share[labels.any(axis=1) | np.repeat(held_out, sizes)] = 1.0
    if shown is not None:
        share[shown.is_shown] = 1.0
    weight = (1.0 if shown is None else shown.weight) / share
    keep = rng.random(len(share), dtype=np.float32) < share
    by_user = np.split(keep, np.cumsum(sizes)[:-1])
    sets = [each.keep(which) for each, which in zip(found, by_user, strict=True)]
    return sets, labels[keep], weight[keep].astype(np.float32), is_new[keep]

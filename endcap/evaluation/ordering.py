"""What orders the served list: the ranker, or the best simple method where the ranker does not beat it."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.evaluation import RANKER, Figure, Ordering
from endcap.evaluation.bootstrap import Resamples

POPULAR = "popular"
USERS = "users"
"""What there is a value of each, unless said otherwise."""


def choose_order(values: Mapping[str, NDArray[np.float64]], min_lift: float, seed: int, metric: str, judged: str = "users") -> Ordering:
    """The ranker, unless the best simple method gives the same people lists that are as good.

    The ranker stays when its mean is higher, by however little: then nothing speaks for the method. With `min_lift` other than 0 it
    stays when its mean is at least so much above the method's.

    Args:
        values: by RANKER and by method, a value for each of the same users, float64 [users]; empty where nobody can be judged, and then
            popularity orders.
        min_lift: what the ranker needs above the best method.
        seed: of the resamples.
        metric: what the values are, for the reason.
        judged: what there is a value of each, for the reason.
    """
    methods = {name: column for name, column in values.items() if name != RANKER}
    if not methods or not len(values[RANKER]):
        nothing = "nobody bought before and after the cut" if judged == USERS else f"there are no {judged} to judge by"
        reason = f"ordered by {POPULAR} in place of the ranker: {nothing}, so nothing is known of the ranker"
        return Ordering(ordered_by=POPULAR, reason=reason)
    users = len(values[RANKER])
    best = max(methods, key=lambda name: float(methods[name].mean()))
    columns = np.column_stack([*values.values(), values[RANKER] - methods[best]])
    *means, lift = (Figure(**asdict(each)) for each in Resamples(users, seed).means(columns))
    by_name = dict(zip(values, means, strict=True))
    stays = reaches(lift.mean, min_lift)
    figures = f"{metric} {by_name[RANKER].mean:.4f} against {by_name[best].mean:.4f} of {best}"
    paired = f"{lift.mean:+.4f} [{lift.low:+.4f}, {lift.high:+.4f}] over {users:,} {judged}"
    needed = f", {min_lift:+.4f} is needed" if min_lift else ""
    verdict = "ordered by the ranker" if stays else f"ordered by {best} in place of the ranker"
    return Ordering(
        ordered_by=RANKER if stays else best,
        reason=f"{verdict}: {figures}, {paired}{needed}",
        methods=by_name,
        best_method=best,
        lift=lift,
    )


def choose_retrieval(two_tower: float, popular: float, min_recall_lift: float, metric: str) -> tuple[bool, str]:
    """Whether the two-tower brings candidates, and why: it does unless popular items bring as much of what is new to the users.

    Args:
        two_tower, popular: recall of each at the deep cut-off, on items new to the users.
        min_recall_lift: what the two-tower needs above popularity.
        metric: what the figures are.
    """
    stays = reaches(two_tower - popular, min_recall_lift)
    needed = f", {min_recall_lift:+.4f} is needed" if min_recall_lift else ""
    verdict = "the two-tower brings candidates" if stays else "the two-tower brings no candidates to a person's lists"
    return stays, f"{verdict}: {metric} on new items {two_tower:.4f} against {popular:.4f} of popular{needed}"


def reaches(difference: float, least: float) -> bool:
    """Whether a difference is above 0, or at least `least` where that is another number; NaN does not."""
    return difference > 0 if least == 0 else difference >= least

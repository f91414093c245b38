"""Whether a bundle may take the champion's place."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.evaluation import VISIT_METRIC, Evaluation, Figure
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.ordering import USERS

ACCEPT_UNCOMPARED = "endcap pipeline run --accept-uncompared"
"""The way out, as messages name it; on a server it is the pipeline's parameter `accept_uncompared`."""
VISITS = "visits"
"""What bundles are compared by, beside USERS."""
USERS_MIN = 6
"""Of five users all have the worse list by chance more often than the interval's 2.5 %: so few decide nothing."""


@dataclass(frozen=True)
class GateLimits:
    """What a bundle must reach.

    Attributes:
        min_gain: least NDCG above the champion's, absolute; below 0 it is a tolerance. The default lets pass what lies within the noise of
            a retraining (half the 95 % interval of a paired difference on 2,000 users is about 0.006).
        accept_uncompared: whether a bundle may pass that cannot be compared with the champion.
    """

    min_gain: float = -0.005
    accept_uncompared: bool = False


@dataclass(frozen=True)
class Comparison:
    """Two bundles' lists for the same people and weeks, or the same visits.

    Attributes:
        bundle_version: of the champion.
        users: how many people were judged.
        ours, theirs: mean NDCG.
        difference: ours less theirs, paired by person, with the 95 % bootstrap interval.
        note: how the champion's lists were made, for people.
        judged: USERS or VISITS.
    """

    bundle_version: int
    users: int
    ours: float
    theirs: float
    difference: Figure
    note: str = ""
    judged: str = USERS

    @classmethod
    def of(
        cls,
        bundle_version: int,
        ours: NDArray[np.float64],
        theirs: NDArray[np.float64],
        *,
        seed: int,
        note: str = "",
        judged: str = USERS,
    ) -> "Comparison":
        """Pair the values of the same users, float64 [users] each."""
        if not len(ours):
            return cls(bundle_version, 0, 0.0, 0.0, Figure(mean=0, low=0, high=0), note, judged)
        difference = Resamples(len(ours), seed).means((ours - theirs)[:, None])[0]
        return cls(bundle_version, len(ours), float(ours.mean()), float(theirs.mean()), Figure(**asdict(difference)), note, judged)

    @classmethod
    def with_itself(cls, bundle_version: int, evaluation: Evaluation) -> "Comparison":
        """Of a bundle that is served already."""
        same, note = Figure(mean=0, low=0, high=0), "which is this very bundle"
        if evaluation.visits is not None:
            value = evaluation.visits.models[evaluation.served_model][VISIT_METRIC].mean
            return cls(bundle_version, evaluation.visits.visits, value, value, same, note, VISITS)
        value = evaluation.metric(evaluation.served_model, evaluation.ranking_metric)
        users = max((truth.users for truth in evaluation.truths.values()), default=0)
        return cls(bundle_version, users, value, value, same, note)

    def is_worse(self, min_gain: float) -> bool:
        """Whether it is worse beyond the tolerance and beyond chance: a difference inside the noise refuses nothing.

        With a tolerance the whole interval must lie below 0, with a gain that is asked for below that gain.
        """
        return self.users >= USERS_MIN and self.difference.mean < min_gain and self.difference.high < max(min_gain, 0.0)


@dataclass(frozen=True)
class Uncompared:
    """A champion that no lists could be made with, and why."""

    bundle_version: int
    reason: str


@dataclass(frozen=True)
class Decision:
    """The gate's answer and each condition it looked at, in words.

    Attributes:
        uncompared: why the bundle was not compared with the champion; empty when it was, or when there is no champion.
    """

    accepted: bool
    conditions: tuple[str, ...]
    uncompared: str = ""

    @property
    def reason(self) -> str:
        return "; ".join(self.conditions)


def decide(evaluation: Evaluation, champion: Comparison | Uncompared | None, limits: GateLimits) -> Decision:
    """Compare a bundle with the champion; the first one is accepted, whatever orders its lists.

    Args:
        evaluation: of the bundle.
        champion: the bundle that is served, as far as it could be compared with; None when the registry says that there is none. Where it
            could not, the bundle is refused unless somebody accepts that.
        limits: what must be reached.
    """
    order = evaluation.ordering.reason
    if champion is None:
        return Decision(True, (order, "no champion yet"))
    if isinstance(champion, Comparison):
        accepted = not champion.is_worse(limits.min_gain)
        metric = VISIT_METRIC if champion.judged == VISITS else evaluation.ranking_metric
        return Decision(accepted, (order, _compared(champion, metric, limits.min_gain, accepted=accepted)))
    why = f"the champion, bundle {champion.bundle_version}, cannot be compared with: {champion.reason}"
    way_out = "accepted by --accept-uncompared" if limits.accept_uncompared else f"to accept it all the same: {ACCEPT_UNCOMPARED}"
    verdict = "NOT COMPARED" if limits.accept_uncompared else "FAILED"
    return Decision(limits.accept_uncompared, (order, f"{verdict}: {why}; {way_out}"), why)


def _compared(found: Comparison, metric: str, min_gain: float, *, accepted: bool) -> str:
    if not found.users:
        return f"passed: no user can be judged, so nothing speaks for the champion, bundle {found.bundle_version}"
    difference = f"{found.difference.mean:+.4f} [{found.difference.low:+.4f}, {found.difference.high:+.4f}]"
    figures = f"{metric} {found.ours:.4f} against {found.theirs:.4f} of the champion, bundle {found.bundle_version}"
    said = f"{'passed' if accepted else 'FAILED'}: {figures}, {difference} over the same {found.users:,} {found.judged}"
    if accepted and found.difference.mean < min_gain:
        few = f"fewer than {USERS_MIN} {found.judged} decide nothing" if found.users < USERS_MIN else "inside the noise"
        said = f"{said}, {few}"
    if not accepted:
        said = f"{said}{', beyond chance' if found.difference.high < 0 else ''}, and at least {min_gain:+.4f} is required"
    return f"{said} ({found.note})" if found.note else said

"""Whether a bundle may take the champion's place."""

import math
from dataclasses import dataclass

from endcap.contracts.evaluation import Evaluation
from endcap.release.tracking import Champion

ACCEPT_UNCOMPARED = "endcap pipeline run --accept-uncompared"
"""The way out, as messages name it; on a server it is the pipeline's parameter `accept_uncompared`."""


@dataclass(frozen=True)
class GateLimits:
    """What a bundle must reach.

    Attributes:
        min_gain: least NDCG@10 above the champion's, absolute; below 0 it is a tolerance. The default lets pass what lies within the
            noise of a retraining (half the 95 % interval of a paired difference on 2,000 users is about 0.006).
        accept_uncompared: whether a bundle may pass that cannot be compared with the champion.
    """

    min_gain: float = -0.005
    accept_uncompared: bool = False


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


def decide(evaluation: Evaluation, champion: Champion | None, limits: GateLimits) -> Decision:
    """Compare a bundle with the champion; the first one is accepted, whatever orders its lists.

    A champion that cannot be compared with, because it was measured on other data or its figures are gone, refuses the bundle unless
    somebody accepts that.

    Args:
        evaluation: of the bundle.
        champion: the bundle that is served; None when the registry says that there is none.
        limits: what must be reached.
    """
    checks = [(True, evaluation.ordering.reason)]
    uncompared = ""
    if champion is None:
        checks.append((True, "no champion yet"))
    elif champion.evaluation is not None and evaluation.is_comparable_with(champion.evaluation):
        metric = evaluation.ranking_metric
        ours, theirs = (each.metric(each.served_model, metric) for each in (evaluation, champion.evaluation))
        checks.append(_check("ranking", metric, ours, ("champion", theirs), limits.min_gain))
    else:
        uncompared = _why_uncompared(evaluation, champion)
        way_out = "accepted by --accept-uncompared" if limits.accept_uncompared else f"to accept it all the same: {ACCEPT_UNCOMPARED}"
        checks.append((limits.accept_uncompared, f"{'NOT COMPARED' if limits.accept_uncompared else 'FAILED'}: {uncompared}; {way_out}"))
    return Decision(all(passed for passed, _ in checks), tuple(text for _, text in checks), uncompared)


def _why_uncompared(evaluation: Evaluation, champion: Champion) -> str:
    who = f"the champion, bundle {champion.bundle_version}, cannot be compared with"
    if champion.evaluation is None:
        return f"{who}: its evaluation is gone ({champion.gone})"
    names = {
        "dataset_fingerprint": "other data",
        "cut": "another cut",
        "horizon_days": "another horizon",
        "min_buyers": "another min_buyers",
    }
    differences = [text for name, text in names.items() if getattr(evaluation, name) != getattr(champion.evaluation, name)]
    return f"{who}: it was measured on {', '.join(differences)}"


def _check(what: str, metric: str, value: float, against: tuple[str, float], least: float) -> tuple[bool, str]:
    name, other = against
    passed = not math.isnan(value) and not math.isnan(other) and (value > other if least == 0 else value - other >= least)
    relation = "above" if value > other else "not above"
    allowed = "" if least == 0 else f" (at least {least:+.3f} is required)"
    return passed, f"{'passed' if passed else 'FAILED'}: {what} {metric} {value:.4f} is {relation} {name} {other:.4f}{allowed}"

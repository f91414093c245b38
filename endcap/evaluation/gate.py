"""Whether a bundle may take the champion's place."""

import math
from dataclasses import dataclass

from endcap.evaluation.evaluation import ALL, DEEP_K, FULL, MAIN_K, NEW, Evaluation

RANKING_METRIC = f"ndcg@{MAIN_K}"
RETRIEVAL_METRIC = f"recall@{DEEP_K}"


@dataclass(frozen=True)
class GateLimits:
    """What a bundle must reach.

    Attributes:
        min_gain: least NDCG@10 above the champion's, absolute; below 0 it is a tolerance. The default lets pass what lies within the
            noise of a retraining (half the 95 % interval of a paired difference on 2,000 users is about 0.006).
        min_lift: least NDCG@10 above the user's own most-bought items.
        min_recall_lift: least recall@100 of the two-tower above popularity, on items new to the user.
    """

    min_gain: float = -0.005
    min_lift: float = 0.0
    min_recall_lift: float = 0.0


@dataclass(frozen=True)
class Decision:
    """The gate's answer and each condition it looked at, in words."""

    accepted: bool
    conditions: tuple[str, ...]

    @property
    def reason(self) -> str:
        return "; ".join(self.conditions)


def decide(evaluation: Evaluation, champion: Evaluation | None, limits: GateLimits) -> Decision:
    """Compare a bundle with the baselines and, when both were measured on the same weeks of the same data, with the champion.

    Args:
        evaluation: of the bundle.
        champion: of the bundle that is served; None when there is none.
        limits: what must be reached.
    """
    ours = evaluation.metric(FULL, RANKING_METRIC)
    checks = [
        _check("ranking", RANKING_METRIC, ours, ("own most-bought", evaluation.metric("own_most_bought", RANKING_METRIC)), limits.min_lift),
    ]
    if NEW in evaluation.truths:
        recall, popular = (evaluation.metric(model, RETRIEVAL_METRIC, NEW) for model in ("two_tower", "popular"))
        checks.append(_check("two-tower on new items", RETRIEVAL_METRIC, recall, ("popular", popular), limits.min_recall_lift))
    if champion is None:
        checks.append((True, "no champion yet"))
    elif not evaluation.is_comparable_with(champion):
        checks.append((True, "the champion was measured on other data, so it is not compared"))
    else:
        checks.append(_check("ranking", RANKING_METRIC, ours, ("champion", champion.metric(FULL, RANKING_METRIC, ALL)), limits.min_gain))
    return Decision(all(passed for passed, _ in checks), tuple(text for _, text in checks))


def _check(what: str, metric: str, value: float, against: tuple[str, float], least: float) -> tuple[bool, str]:
    name, other = against
    passed = not math.isnan(value) and not math.isnan(other) and (value > other if least == 0 else value - other >= least)
    relation = "above" if value > other else "not above"
    allowed = "" if least == 0 else f" (at least {least:+.3f} is asked)"
    return passed, f"{'passed' if passed else 'FAILED'}: {what} {metric} {value:.4f} is {relation} {name} {other:.4f}{allowed}"

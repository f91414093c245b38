"""What lists come from, as a sentence: the events that taught, what models learned to find and to predict, and what may be listed."""

from collections.abc import Mapping, Sequence

from endcap.contracts.training_plan import EligibleBy

CANDIDATES_BY: Mapping[EligibleBy, str] = {
    "purchases": "its buyers make an item a candidate",
    "interactions": "all people and visits that did anything with an item make it a candidate",
}


def learned_from(signals: Mapping[str, float], next_of: Sequence[str], objectives: Sequence[str], eligible_by: EligibleBy) -> str:
    """A sentence without its subject, the models.

    Args:
        signals: weights by event type; empty where purchases were all.
        next_of: event types of which the next one is found; empty where no two-tower was trained.
        objectives: of the ranker, or of what orders in its place.
        eligible_by: who makes an item a candidate.
    """
    taught = ", ".join(f"{name.replace('_', ' ')} ({weight:.4g})" for name, weight in signals.items()) or "purchases"
    found, predicted = (words.replace("_", " ") for words in (" or ".join(next_of), ", ".join(objectives)))
    said = [
        f"learned from {taught}",
        found and f"finds the next {found}",
        predicted and f"predicts {predicted}",
        CANDIDATES_BY[eligible_by],
    ]
    return "; ".join(filter(None, said))

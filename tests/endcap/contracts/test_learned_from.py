"""Where a list comes from is one sentence, the same in manifest, report and explanation."""

import pytest

from endcap.contracts.learned_from import learned_from
from endcap.contracts.training_plan import EligibleBy


@pytest.mark.parametrize(
    ("signals", "next_of", "objectives", "eligible_by", "said"),
    [
        ({}, [], [], "purchases", "learned from purchases; its buyers make an item a candidate"),
        (
            {"purchase": 1.0, "product_view": 0.2},
            ["purchase", "product_view"],
            ["buy", "buy_again", "view"],
            "interactions",
            "learned from purchase (1), product view (0.2); finds the next purchase or product view; predicts buy, buy again, view; "
            "all people and visits that did anything with an item make it a candidate",
        ),
    ],
)
def test_the_sentence_names_signals_objectives_and_candidates(
    signals: dict[str, float], next_of: list[str], objectives: list[str], eligible_by: EligibleBy, said: str
) -> None:
    assert learned_from(signals, next_of, objectives, eligible_by) == said

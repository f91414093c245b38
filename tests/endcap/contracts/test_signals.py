"""Signals: codes that trained weights know, and settings that would teach nothing."""

import pytest
from pydantic import ValidationError

from endcap.contracts.event import EventType
from endcap.contracts.signals import PURCHASE_CODE, SIGNAL_TYPES, Signals, signal_code


def test_codes_are_those_that_trained_weights_know() -> None:
    assert [signal_code(name) for name in ("purchase", "add_to_cart", "product_view", "rating")] == [1, 2, 3, 4]
    assert signal_code(EventType.PURCHASE) == PURCHASE_CODE
    assert signal_code("page_view") == 0


def test_weights_are_by_code() -> None:
    weights = Signals().weights
    assert len(weights) == len(SIGNAL_TYPES) + 1
    assert weights[0] == 0 and weights[PURCHASE_CODE] == 1


def test_settings_without_any_weight_are_refused() -> None:
    nothing = {name.value: {"weight": 0} for name in SIGNAL_TYPES}
    with pytest.raises(ValidationError, match="every weight is 0"):
        Signals.model_validate(nothing)

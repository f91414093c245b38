"""A reading held against the limit."""

from datetime import UTC, datetime

import pytest

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.guardrails import to_measurement
from endcap_rollout_operator.guardrails.look import Reading, missing

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AT_MOST = Guardrail(name="own", query="vector(1)", limit=0.5)
AT_LEAST = AT_MOST.model_copy(update={"direction": "atLeast"})


@pytest.mark.parametrize(
    ("guardrail", "reading", "verdict"),
    [
        (AT_MOST, Reading(0.4, ""), "pass"),
        (AT_MOST, Reading(0.5, ""), "pass"),
        (AT_MOST, Reading(0.6, ""), "fail"),
        (AT_LEAST, Reading(0.4, ""), "fail"),
        (AT_LEAST, Reading(0.5, ""), "pass"),
        (AT_LEAST, Reading(0.6, ""), "pass"),
        (AT_MOST, missing("no data"), "missing"),
        (AT_MOST, Reading(0.4, "", enough=False), "missing"),
        (AT_MOST, Reading(0.6, "", enough=False), "missing"),
        (AT_MOST, Reading(0.6, "", enough=False, certain=True), "fail"),
        (AT_LEAST, Reading(0.4, "", enough=False, certain=True), "missing"),
    ],
)
def test_verdict(guardrail: Guardrail, reading: Reading, verdict: str) -> None:
    assert to_measurement(guardrail, reading, NOW, None).verdict == verdict


def test_missing_data_neither_adds_to_failures_in_a_row_nor_forgives_them() -> None:
    failures = []
    measured = None
    for reading in (Reading(1, ""), Reading(1, ""), missing("away"), Reading(1, ""), Reading(0, ""), Reading(1, "")):
        measured = to_measurement(AT_MOST, reading, NOW, measured)
        failures.append(measured.failures)
    assert failures == [1, 2, 2, 3, 0, 1]

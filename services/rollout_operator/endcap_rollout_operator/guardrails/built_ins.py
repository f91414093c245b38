"""Which function measures which guardrail."""

from collections.abc import Callable

from endcap.contracts.rollout import BuiltIn, Guardrail
from endcap_rollout_operator.guardrails.click_through import click_through
from endcap_rollout_operator.guardrails.conversion import conversion
from endcap_rollout_operator.guardrails.custom_query import custom_query
from endcap_rollout_operator.guardrails.degraded_share import degraded_share
from endcap_rollout_operator.guardrails.empty_share import empty_share
from endcap_rollout_operator.guardrails.error_rate import error_rate
from endcap_rollout_operator.guardrails.latency_p99 import latency_p99
from endcap_rollout_operator.guardrails.look import Look
from endcap_rollout_operator.guardrails.reading import Reading
from endcap_rollout_operator.guardrails.score_drift import score_drift

Measure = Callable[[Look, Guardrail], Reading]

BUILT_INS: dict[BuiltIn, Measure] = {
    BuiltIn.ERROR_RATE: error_rate,
    BuiltIn.LATENCY_P99: latency_p99,
    BuiltIn.DEGRADED_SHARE: degraded_share,
    BuiltIn.EMPTY_SHARE: empty_share,
    BuiltIn.SCORE_DRIFT: score_drift,
    BuiltIn.CLICK_THROUGH: click_through,
    BuiltIn.CONVERSION: conversion,
}


def measure_of(guardrail: Guardrail) -> Measure:
    """What measures a guardrail: endcap's own function, or the query that it brings along."""
    return custom_query if guardrail.built_in is None else BUILT_INS[guardrail.built_in]

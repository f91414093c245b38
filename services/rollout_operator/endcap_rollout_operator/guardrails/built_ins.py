"""Which function measures which guardrail."""

from collections.abc import Callable

from endcap.contracts.rollout import BuiltIn, Guardrail
from endcap.rollout.guardrails.click_through import click_through
from endcap.rollout.guardrails.conversion import conversion
from endcap.rollout.guardrails.custom_query import custom_query
from endcap.rollout.guardrails.degraded_share import degraded_share
from endcap.rollout.guardrails.empty_share import empty_share
from endcap.rollout.guardrails.error_rate import error_rate
from endcap.rollout.guardrails.latency_p99 import latency_p99
from endcap.rollout.guardrails.look import Look
from endcap.rollout.guardrails.reading import Reading
from endcap.rollout.guardrails.score_drift import score_drift

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

"""KEDA: its version."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome
from endcap.doctor.checks import operators
from endcap.doctor.checks.operators import Operator
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

KEDA = Operator("KEDA", "keda-operator", ("keda",), container="keda-operator")


def checks(release: Release) -> Iterator[Check]:
    if release.scales_with_keda:
        yield Check("KEDA", "version", "KEDA 2", "serving.autoscaling.class=keda", _version)


def _version(cluster: Cluster) -> Outcome:
    return operators.standing(operators.find(cluster, KEDA), KEDA, (2,), fix="upgrade KEDA to 2 or newer")

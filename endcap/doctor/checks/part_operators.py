"""KEDA and the operators that make parts of the release: their version, and whether they look at the namespace the parts are in."""

from collections.abc import Callable, Iterator
from functools import partial

from endcap.doctor.check import Check, Outcome, gap
from endcap.doctor.checks import operators
from endcap.doctor.checks.operators import Operator
from endcap.doctor.cluster import Cluster, Document
from endcap.doctor.release import Release

KEDA = Operator("KEDA", "keda-operator", ("keda",), container="keda-operator")
STRIMZI = Operator("Strimzi", "strimzi-cluster-operator", ("strimzi", "strimzi-system", "kafka"), container="strimzi-cluster-operator")
MILVUS = Operator("milvus-operator", "milvus-operator", ("milvus-operator", "milvus-system"))
FEAST = Operator("feast-operator", "feast-operator-controller-manager", ("feast-operator-system",))
SPARK = Operator("the Spark operator", "spark-operator-controller", ("spark-operator",), container="spark-operator-controller")
SETTINGS = {
    STRIMZI.deployment: "name it in STRIMZI_NAMESPACE of the cluster operator, or set watchAnyNamespace in Strimzi's chart",
    SPARK.deployment: "name it in spark.jobNamespaces of the Spark operator's chart",
}
"""How an operator is made to look at one more namespace."""
Watched = Callable[[Document], list[str] | None]
"""Namespaces an operator looks at by its Deployment; None for all of them."""


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if release.scales_with_keda:
        yield Check("KEDA", "version", "KEDA 2", "serving.autoscaling.class=keda", _keda)
    if values["kafka.enabled"] or release.makes_topics:
        look = partial(_standing, operator=STRIMZI, namespace=release.namespace, watched=strimzi_namespaces)
        needed = f"Strimzi, looking at namespace {release.namespace}"
        yield Check("Strimzi", "version", needed, "kafka.enabled" if values["kafka.enabled"] else "kafka.topics.clusterName", look)
    if values["milvus.enabled"]:
        look = partial(_standing, operator=MILVUS, namespace=release.parts_namespace)
        yield Check("milvus-operator", "version", "milvus-operator", "milvus.enabled", look)
    if values["feast.operator.enabled"]:
        look = partial(_standing, operator=FEAST, namespace=release.parts_namespace)
        yield Check("feast-operator", "version", "feast-operator", "feast.operator.enabled", look)
    if values["spark.enabled"] or release.stream_runner == "spark":
        because = "spark.enabled" if values["spark.enabled"] else "stream.runner"
        look = partial(_standing, operator=SPARK, namespace=release.namespace, watched=spark_namespaces)
        yield Check("Spark operator", "version", f"the Spark operator, looking at namespace {release.namespace}", because, look)


def _keda(cluster: Cluster) -> Outcome:
    return operators.standing(operators.find(cluster, KEDA), KEDA, (2,), fix="upgrade KEDA to 2 or newer")


def _standing(cluster: Cluster, operator: Operator, namespace: str, watched: Watched | None = None) -> Outcome:
    deployment = operators.find(cluster, operator)
    outcome = operators.standing(deployment, operator, fix="")
    looked_at = watched(deployment) if watched and deployment else None
    if looked_at is not None and namespace not in looked_at:
        return gap(f"{outcome.found}: it looks at {', '.join(looked_at)} only", SETTINGS[operator.deployment])
    return outcome


def strimzi_namespaces(deployment: Document) -> list[str] | None:
    """By its variable STRIMZI_NAMESPACE, which is its own namespace where the kubelet fills it in."""
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for variable in container.get("env") or ():
            if variable["name"] == "STRIMZI_NAMESPACE":
                if "valueFrom" in variable:
                    return [str(deployment["metadata"]["namespace"])]
                return _listed(str(variable.get("value", "")), everything="*")
    return None


def spark_namespaces(deployment: Document) -> list[str] | None:
    """By its argument --namespaces; without one it looks at all of them."""
    for argument in operators.arguments(deployment):
        if argument.startswith("--namespaces="):
            return _listed(argument.partition("=")[2].strip('"'), everything="")
    return None


def _listed(text: str, everything: str) -> list[str] | None:
    names = [each.strip() for each in text.split(",") if each.strip()]
    return None if not names or everything in names else names

"""Definitions of the operators' resources that take any field: for a clone beside which the operators' own definitions are not.

They know names, versions, scope and the status subresource. Nothing checks field names, types, defaults or lists' keys with them.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Definition:
    """One resource.

    Attributes:
        name: `<plural>.<group>`.
        versions: served ones, the stored one first.
        short: short names.
        status: whether status is a subresource.
    """

    name: str
    kind: str
    versions: tuple[str, ...]
    short: tuple[str, ...] = ()
    status: bool = True
    scope: str = "Namespaced"

    def content(self) -> dict[str, Any]:
        """The CustomResourceDefinition."""
        plural, _, group = self.name.partition(".")
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        subresources: dict[str, Any] = {"subresources": {"status": {}}} if self.status else {}
        names = {"kind": self.kind, "listKind": f"{self.kind}List", "plural": plural, "singular": self.kind.lower()}
        # The API server guards group names of Kubernetes' own; the Gateway API is one of them.
        approved = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466"}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name, "annotations": approved if group.endswith(".k8s.io") else {}},
            "spec": {
                "group": group,
                "scope": self.scope,
                "names": {**names, "shortNames": list(self.short)},
                "versions": [
                    {"name": each, "served": True, "storage": each == self.versions[0], "schema": schema, **subresources}
                    for each in self.versions
                ],
            },
        }


DEFINITIONS = (
    Definition("certificates.cert-manager.io", "Certificate", ("v1",), ("cert", "certs")),
    Definition("clusterservingruntimes.serving.kserve.io", "ClusterServingRuntime", ("v1alpha1",), status=False, scope="Cluster"),
    Definition("featurestores.feast.dev", "FeatureStore", ("v1", "v1alpha1"), ("feast",)),
    Definition("gateways.gateway.networking.k8s.io", "Gateway", ("v1", "v1beta1"), ("gtw",)),
    Definition("httproutes.gateway.networking.k8s.io", "HTTPRoute", ("v1", "v1beta1")),
    Definition("inferenceservices.serving.kserve.io", "InferenceService", ("v1beta1",), ("isvc",)),
    Definition("kafkanodepools.kafka.strimzi.io", "KafkaNodePool", ("v1",), ("knp",)),
    Definition("kafkas.kafka.strimzi.io", "Kafka", ("v1",), ("k",)),
    Definition("kafkatopics.kafka.strimzi.io", "KafkaTopic", ("v1",), ("kt",)),
    Definition("milvuses.milvus.io", "Milvus", ("v1beta1", "v1alpha1"), ("mi",)),
    Definition("pipelines.pipelines.kubeflow.org", "Pipeline", ("v2beta1",), status=False),
    Definition("pipelineversions.pipelines.kubeflow.org", "PipelineVersion", ("v2beta1",)),
    Definition("podmonitors.monitoring.coreos.com", "PodMonitor", ("v1",), ("pmon",), status=False),
    Definition("prometheusrules.monitoring.coreos.com", "PrometheusRule", ("v1",), ("promrule",), status=False),
    Definition("scaledobjects.keda.sh", "ScaledObject", ("v1alpha1",), ("so",)),
    Definition("scheduledsparkapplications.sparkoperator.k8s.io", "ScheduledSparkApplication", ("v1beta2",), ("scheduledsparkapp",)),
    Definition("scheduledworkflows.kubeflow.org", "ScheduledWorkflow", ("v1beta1",), ("swf",), status=False),
    Definition("servicemonitors.monitoring.coreos.com", "ServiceMonitor", ("v1",), ("smon",)),
    Definition("services.serving.knative.dev", "Service", ("v1",), ("kservice", "ksvc")),
    Definition("servingruntimes.serving.kserve.io", "ServingRuntime", ("v1alpha1",), status=False),
    Definition("sparkapplications.sparkoperator.k8s.io", "SparkApplication", ("v1beta2",), ("sparkapp",)),
)
"""Of the resources that the chart writes and that KServe makes of them. The rest would cost an API server seconds and serve nothing."""

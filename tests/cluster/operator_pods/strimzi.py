"""Pods that Strimzi (2026-08-22) makes of a Kafka and its KafkaNodePools, as Pod Security sees them.

Observed (`shared/data/kserve-observed`, section "Other operators"): with the default security provider containers stay bare unless the
resource's `template` sets them. Read in `cluster/model/EntityOperator.java` and its like: pod and containers take the contexts of the
template, each from its own field. Not written down: the provider `restricted` of a cluster operator that was told so, which is milder.
"""

from collections.abc import Iterator
from typing import Any

from tests.cluster.operator_pods.pod import Manifest, container, secured_pod

IMAGE = "quay.io/strimzi/kafka:latest-kafka-4.1.0"
OPERATOR_IMAGE = "quay.io/strimzi/operator:latest"
ENTITY_OPERATORS = {"topicOperator": "topic-operator", "userOperator": "user-operator"}
SINGLE = {"kafkaExporter": ("kafka-exporter", "container"), "cruiseControl": ("cruise-control", "cruiseControlContainer")}
"""Further pods of a Kafka: their field, their container, and the template's field for it."""
DEFAULT_BROKER_POD = {"fsGroup": 0}
"""Read: the default provider lets the broker's group own its volume, and says nothing else."""


def pods_of_kafka(kafka: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Name and pod of the entity operator, the exporter and Cruise Control, where the resource has them; brokers come of node pools."""
    name, spec = kafka["metadata"]["name"], kafka["spec"]
    entity = spec.get("entityOperator", {})
    operators = {field: own for field, own in ENTITY_OPERATORS.items() if field in entity}
    if operators:
        template = entity.get("template", {})
        containers = [container(own, OPERATOR_IMAGE, _security(template, f"{field}Container")) for field, own in operators.items()]
        yield f"{name}-entity-operator", secured_pod(f"{name}-entity-operator", _security(template, "pod"), containers)
    for field, (own, of_template) in SINGLE.items():
        if field in spec:
            template = spec[field].get("template", {})
            only = container(own, IMAGE, _security(template, of_template))
            yield f"{name}-{own}", secured_pod(f"{name}-{own}", _security(template, "pod"), [only])


def pods_of_node_pool(pool: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Name and pod of the pool's first broker. Without rack awareness there is no init container."""
    cluster = pool["metadata"]["labels"]["strimzi.io/cluster"]
    name, template = f"{cluster}-{pool['metadata']['name']}-0", pool["spec"].get("template", {})
    broker = container("kafka", IMAGE, _security(template, "kafkaContainer"))
    volumes = [
        {"name": f"data-{each['id']}", "persistentVolumeClaim": {"claimName": "data"}} for each in pool["spec"]["storage"]["volumes"]
    ]
    yield name, secured_pod(name, _security(template, "pod") or DEFAULT_BROKER_POD, [broker], volumes=volumes)


def _security(template: Manifest, field: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = template.get(field, {}).get("securityContext")
    return found

"""Values that render and cannot work are refused: storage that nothing mounts or lets out, parts that lack what a value asks of them."""

import re
from collections.abc import Callable

import pytest

from tests.charts.chart import Document, Refused, of_kind, one

Chart = Callable[..., list[Document]]
S3 = {"storageUri": "s3://shop/bundles"}
OUT = {"objectStorage": True}
TRAINS = {"enabled": True}
SPARK = {"enabled": True}
KAFKA = {"kafka": {"bootstrap": "broker.shared.svc:9093"}}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"bundles": S3}, "networkPolicies.objectStorage: bundles are downloaded from s3://shop/bundles"),
        ({"bundles": {"storageUri": "gs://shop/bundles"}}, "networkPolicies.objectStorage"),
        ({"bundles": S3, "networkPolicies": OUT, "pipelines": TRAINS}, "bundles.store: bundles are served from s3://shop/bundles"),
        ({"bundles": {"storageUri": "pvc://models/shop"}, "pipelines": TRAINS}, "bundles.store: bundles are served from pvc://models/shop"),
        ({"bundles": {"store": "s3://shop/bundles"}, "pipelines": TRAINS}, "they are served from pvc://endcap-bundles"),
        ({"bundles": {"store": "/mnt/elsewhere"}, "pipelines": TRAINS}, "no claim is mounted at /mnt/elsewhere"),
        ({"bundles": {"claim": {"accessMode": "ReadOnlyMany"}}, "pipelines": TRAINS}, "bundles.claim.accessMode"),
        ({"pipelines": {"enabled": True, "dataDir": "/mnt/data"}}, "pipelines.dataDir: no claim is mounted at /mnt/data"),
        ({"pipelines": {"enabled": True, "dataDir": "/var/lib/endcap-old"}}, "pipelines.dataDir"),
        ({"spark": {**SPARK, "data": "/mnt/data"}}, "spark.data: Spark mounts the workspace at /var/lib/endcap alone"),
        ({"spark": {**SPARK, "out": "/mnt/out"}}, "spark.out"),
        ({"milvus": {"enabled": True, "tls": True}}, "milvus.tls"),
        ({"milvus": {"enabled": True, "caSecretName": "milvus-ca"}}, "milvus.tls"),
        ({"redis": {"enabled": True, "auth": {"secretName": "login"}, "tls": True}}, "redis.tls"),
        (
            {"milvus": {"enabled": True, "storage": {"inCluster": False, "endpoint": "https://s3.example.com"}}},
            "milvus.storage.endpoint: https://s3.example.com is an address with a scheme",
        ),
        ({"kafka": {"bootstrap": "broker.shared.svc"}}, 'kafka.bootstrap: "broker.shared.svc" has no port'),
        (
            {**KAFKA, "evidence": {"enabled": True}, "serving": {"enabled": False}},
            "evidence.enabled: its job runs as the account of serving",
        ),
    ],
)
def test_what_cannot_work_is_refused_and_named(chart: Chart, values: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart(values)


@pytest.mark.parametrize(
    "values",
    [
        {"bundles": S3, "networkPolicies": OUT},
        {"bundles": S3, "networkPolicies": {"enabled": False}},
        {"bundles": S3, "networkPolicies": {"extraEgress": [{"ports": [{"port": 9000, "protocol": "TCP"}]}]}},
        {"bundles": {"storageUri": "oci://registry.example.com/bundles"}},
        {"bundles": {**S3, "store": "s3://shop/bundles"}, "networkPolicies": OUT, "pipelines": TRAINS},
        {
            "bundles": {"storageUri": "pvc://models/shop", "store": "/mnt/models/shop"},
            "pipelines": {**TRAINS, "volumes": [{"claimName": "models", "mountPath": "/mnt/models"}]},
        },
        {"pipelines": {**TRAINS, "dataDir": "/mnt/data/a", "volumes": [{"claimName": "data", "mountPath": "/mnt/data"}]}},
        {"spark": {**SPARK, "data": "s3a://shop/data", "out": "s3a://shop/computed"}},
    ],
)
def test_what_works_is_rendered(chart: Chart, values: Document) -> None:
    assert one(chart(values), "InferenceService", "endcap")


def test_every_address_of_kafka_is_let_out_and_the_port_that_brokers_tell(chart: Chart) -> None:
    kafka = {"bootstrap": "a.example.com:9093, b.example.com:9094", "port": 9095}
    policies = of_kind(chart({"kafka": kafka, "evidence": {"enabled": True}}), "NetworkPolicy")
    for name in ("endcap-serving", "endcap-evidence"):
        egress = next(each for each in policies if each["metadata"]["name"] == name)["spec"]["egress"]
        assert {port["port"] for rule in egress for port in rule["ports"]} >= {9093, 9094, 9095}

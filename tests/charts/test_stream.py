"""The stream: one pod or a driver with executors, what each may write, and where it learns which bundle is served."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endcap.core.settings import Settings
from endcap.release.bundle.served_pointer import POINTER_NAME, parse_pointer
from tests.charts.chart import Document, Refused, called, containers, environment, of_kind, one, pod_specs
from tests.charts.custom_resources import CRDS, faults, schemas

Chart = Callable[..., list[Document]]
Rendered = Callable[[str], list[Document]]
KAFKA = {"bootstrap": "kafka.shared.svc:9092"}
OPERATOR = {"operator": {"enabled": True}}
NAME = "StatefulSet/endcap-stream"
VERSION = 20261124110000


def stream(**values: Any) -> dict[str, Any]:
    """Values of a release with a stream on a Kafka that is there."""
    return {"kafka": KAFKA, "stream": {"enabled": True, "secretName": "letters", **values}}


def on_spark(spark: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """The same on Spark."""
    return stream(runner="spark", spark=spark or {}, **values)


def _container(objects: list[Document]) -> Document:
    return dict(containers(objects))[f"{NAME}:stream"]


def _application(objects: list[Document]) -> Document:
    return dict(one(objects, "SparkApplication", "endcap-stream")["spec"])


def _mounts(container: Document) -> dict[str, Document]:
    return {each["name"]: each for each in container["volumeMounts"]}


def test_there_is_none_unless_it_is_switched_on(chart: Chart) -> None:
    assert [called(each) for each in chart() if "stream" in each["metadata"]["name"] or each["metadata"]["name"] == "endcap-served"] == []


def test_one_pod_keeps_state_outcomes_and_dead_letters_on_a_claim_that_outlives_it(chart: Chart) -> None:
    objects = chart(stream())
    stateful = one(objects, "StatefulSet", "endcap-stream")["spec"]
    assert stateful["replicas"] == 1
    assert stateful["serviceName"] == one(objects, "Service", "endcap-stream")["metadata"]["name"]
    container, pod = _container(objects), dict(pod_specs(objects))[NAME]
    home = _mounts(container)["home"]
    assert home["mountPath"] == environment(container)["ENDCAP_HOME"]
    claims = {each["name"]: each["persistentVolumeClaim"] for each in pod["volumes"] if "persistentVolumeClaim" in each}
    assert claims["home"] == {"claimName": "endcap-stream"}
    claim = one(objects, "PersistentVolumeClaim", "endcap-stream")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "annotations" not in one(chart(stream(claim={"keep": False})), "PersistentVolumeClaim", "endcap-stream")["metadata"]


def test_what_it_writes_live_is_what_serving_pods_read(chart: Chart) -> None:
    objects = chart(stream())
    transformer = dict(containers(objects))["InferenceService/endcap:transformer-container"]
    written, read = _mounts(_container(objects))["live"], _mounts(transformer)["live"]
    assert (written["subPath"], read["subPath"]) == ("live", "live")
    assert environment(_container(objects))["ENDCAP_SERVING__LIVE_DIR"] == written["mountPath"]
    volumes = [each for _, pod in pod_specs(objects) for each in pod.get("volumes", []) if each["name"] == "live"]
    names = {each["persistentVolumeClaim"]["claimName"] for each in volumes}
    assert names == {one(objects, "PersistentVolumeClaim", "endcap-live")["metadata"]["name"]}


def test_the_live_folder_has_one_writer_beside_the_job_that_copies_events(rendered: Rendered) -> None:
    job = dict(containers(rendered("production")))["CronJob/endcap-evidence:evidence"]
    assert environment(job)["ENDCAP_SERVING__LIVE_DIR"] == "/var/lib/endcap/live"
    assert [each.get("subPath") for each in job["volumeMounts"] if each["name"] == "live"] == ["log"]


def test_the_operator_says_which_bundle_is_stable_where_the_stream_looks(chart: Chart) -> None:
    objects = chart({**stream(), "rollouts": OPERATOR})
    held, container = one(objects, "ConfigMap", "endcap-served"), _container(objects)
    assert "data" not in held, "an upgrade would take back what the operator said"
    operator = environment(dict(containers(objects))["Deployment/endcap-rollout-operator:rollout-operator"])
    assert operator["ENDCAP_ROLLOUTS__SERVED_CONFIG_MAP"] == "endcap-served"
    rules = [each for each in one(objects, "Role", "endcap-rollout-operator")["rules"] if "configmaps" in each["resources"]]
    assert rules == [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["endcap-served"], "verbs": ["get", "patch"]}]
    volume = next(each for each in dict(pod_specs(objects))[NAME]["volumes"] if each["name"] == "served")
    assert volume["configMap"] == {"name": "endcap-served"}
    served = _mounts(container)["served"]
    assert "subPath" not in served, "so that it changes while the pod runs"
    assert environment(container)["ENDCAP_ROLLOUTS__SERVED_FILE"] == f"{served['mountPath']}/{POINTER_NAME}"
    assert environment(container)["ENDCAP_ROLLOUTS__BUNDLE_STORE"] == _mounts(container)["bundles"]["mountPath"]


@pytest.mark.parametrize("without", [{}, {"rollouts": OPERATOR, "serving": {"enabled": False}}])
@pytest.mark.parametrize("version", [VERSION, None])
def test_without_an_operator_the_values_say_it(chart: Chart, without: Document, version: int | None) -> None:
    serving = {"bundle": {"version": version, "collection": "endcap"}} | without.get("serving", {})
    objects = chart({**stream(), **without, "serving": serving})
    ((name, text),) = one(objects, "ConfigMap", "endcap-served")["data"].items()
    assert parse_pointer(text, name).version == version
    assert environment(_container(objects))["ENDCAP_ROLLOUTS__SERVED_FILE"] == f"/etc/endcap/served/{name}"


@pytest.mark.parametrize(
    ("bundles", "address", "mounted"),
    [
        ({}, "/mnt/bundles", ("endcap-bundles", None)),
        ({"storageUri": "pvc://shared/shop/bundles"}, "/mnt/bundles", ("shared", "shop/bundles")),
        ({"storageUri": "s3://shop/bundles"}, "s3://shop/bundles", None),
        ({"storageUri": "https://bundles.example/shop", "store": "gs://shop/bundles"}, "gs://shop/bundles", None),
    ],
)
def test_it_reads_tables_where_bundles_are(chart: Chart, bundles: Document, address: str, mounted: tuple[str, str | None] | None) -> None:
    objects = chart({**stream(), "bundles": bundles, "networkPolicies": {"objectStorage": True}})
    container = _container(objects)
    assert environment(container)["ENDCAP_ROLLOUTS__BUNDLE_STORE"] == address
    mount = _mounts(container).get("bundles")
    assert (mount is not None) == (mounted is not None)
    if mount is not None and mounted is not None:
        volume = next(each for each in dict(pod_specs(objects))[NAME]["volumes"] if each["name"] == "bundles")
        assert volume["persistentVolumeClaim"] == {"claimName": mounted[0], "readOnly": True}
        assert mount.get("subPath") == mounted[1]
        assert mount["readOnly"] is True


def test_its_settings_are_kafka_redis_and_files(chart: Chart) -> None:
    values = stream(env={"ENDCAP_STREAM__SESSION_GAP_SECONDS": "900"})
    objects = chart({**values, "kafka": {**KAFKA, "clientConfig": {"secretName": "kafka-login"}}, "personIds": {"secretName": "ids"}})
    settings = environment(_container(objects))
    assert settings["ENDCAP_PROFILE"] == "cluster"
    assert settings["ENDCAP_EVENTS__KAFKA_BOOTSTRAP"] == KAFKA["bootstrap"]
    assert settings["ENDCAP_EVENTS__KAFKA_TOPIC"] == "endcap.impressions.v1"
    assert settings["ENDCAP_EVENTS__KAFKA_CONFIG_FILE"] == "/etc/endcap/kafka/client.properties"
    assert settings["ENDCAP_STREAM__SESSION_GAP_SECONDS"] == "900"
    assert settings["FEAST_REGISTRY"]["secretKeyRef"]
    assert not any(name.startswith(("ENDCAP_PERSON_IDS", "ENDCAP_MILVUS")) for name in settings)
    volume = next(each for each in dict(pod_specs(objects))[NAME]["volumes"] if each["name"] == "dead-letter-key")
    assert volume["secret"] == {"secretName": "letters", "items": [{"key": "dead-letters.key", "path": "dead-letters.key"}]}
    assert settings["ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE"].startswith(_mounts(_container(objects))["dead-letter-key"]["mountPath"])


def test_the_collectors_key_of_dead_letters_is_used_unless_another_is_named(chart: Chart) -> None:
    objects = chart({**stream(secretName=""), "collector": {"secretName": "collector-keys"}})
    assert "collector-keys" in json.dumps(dict(pod_specs(objects))[NAME]["volumes"])


@pytest.mark.parametrize("values", [stream(), on_spark()])
def test_only_stores_kafka_and_who_scrapes_reach_or_are_reached(chart: Chart, values: Document) -> None:
    network = {"monitoringNamespaces": ["monitoring"]}
    objects = chart({**values, "networkPolicies": network, "redis": {"enabled": True, "auth": {"secretName": "redis"}}})
    policy = one(objects, "NetworkPolicy", "endcap-stream")["spec"]
    is_spark = values["stream"].get("runner") == "spark"
    reached = {port["port"] for rule in policy["egress"] for port in rule.get("ports", [])}
    assert reached == {6379, 5432, 9092} | ({443, 6443} if is_spark else set())
    assert {port["port"] for rule in policy["ingress"] for port in rule.get("ports", [])} == {8091}
    let_in = json.dumps(one(objects, "NetworkPolicy", "endcap-redis")["spec"]["ingress"])
    assert '"app.kubernetes.io/component": "stream"' in let_in


def test_its_pod_is_scraped_and_its_metrics_are_shown_and_watched(rendered: Rendered) -> None:
    objects = rendered("production")
    monitor, stateful = one(objects, "PodMonitor", "endcap-stream")["spec"], one(objects, "StatefulSet", "endcap-stream")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= stateful["template"]["metadata"]["labels"].items()
    assert monitor["podMetricsEndpoints"][0]["port"] == _container(objects)["ports"][0]["name"]
    rules = json.dumps(one(objects, "PrometheusRule")["spec"])
    dashboards = json.dumps([each["data"] for each in of_kind(objects, "ConfigMap") if "grafana_dashboard" in each["metadata"]["labels"]])
    for metric in ("endcap_stream_lag_seconds", "endcap_stream_delivery_failures_total"):
        assert metric in rules
    assert "endcap_stream_lag_seconds" in dashboards


def test_on_spark_the_driver_alone_writes_and_is_scraped(chart: Chart) -> None:
    objects = chart({**on_spark(), "monitoring": {"podMonitor": {"enabled": True}}})
    driver, executor = (_application(objects)[role] for role in ("driver", "executor"))
    assert {"home", "live", "dead-letter-key"} <= set(_mounts(driver))
    assert not {"home", "live", "dead-letter-key"} & set(_mounts(executor))
    for pod in (driver, executor):
        assert {"served", "bundles", "stream"} <= set(_mounts(pod))
        settings = environment(pod)
        assert settings["ENDCAP_STREAM__HOST"] == "0.0.0.0"  # noqa: S104  # the pod's own addresses
        assert settings["POLARS_MAX_THREADS"] == "1"
        assert settings["FEAST_REGISTRY"]["secretKeyRef"]
        assert pod["podSecurityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    selected = one(objects, "PodMonitor", "endcap-stream")["spec"]["selector"]["matchLabels"].items()
    assert selected <= driver["labels"].items()
    assert not selected <= executor["labels"].items()
    assert driver["ports"][0]["name"] == "http"


def test_on_spark_the_application_goes_on_for_ever_with_arguments_that_hold_no_secret(chart: Chart) -> None:
    options = {"secretName": "kafka-java", "key": "java.properties"}
    objects = chart(
        on_spark({"buckets": 16, "triggerSeconds": 2.5, "recordsMax": 2_000_000, "driverRecordsMax": 1_000_000, "kafkaOptions": options})
    )
    spec = _application(objects)
    assert spec["mainApplicationFile"] == "local:///opt/endcap/stream_on_spark.py"
    assert spec["restartPolicy"]["type"] == "Always"
    given = dict(zip(spec["arguments"][::2], spec["arguments"][1::2], strict=True))
    assert given == {
        "--checkpoint": "file:///mnt/stream/checkpoint",
        "--state": "/mnt/stream/state",
        "--buckets": "16",
        "--trigger-seconds": "2.5",
        "--records-max": "2000000",
        "--driver-records-max": "1000000",
        "--kafka-options": "/etc/endcap/kafka-java/java.properties",
    }
    for role in ("driver", "executor"):
        assert given["--kafka-options"].startswith(_mounts(spec[role])["kafka-java"]["mountPath"])
    assert one(objects, "PersistentVolumeClaim", "endcap-stream-spark")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_on_spark_the_applications_own_arguments_are_taken(chart: Chart) -> None:
    source = (Path(__file__).parents[2] / "services" / "stream" / "endcap_stream" / "spark" / "job.py").read_text()
    known = set(re.findall(r'add_argument\("(--[a-z-]+)"', source))
    given = _application(chart(on_spark({"kafkaOptions": {"secretName": "kafka-java"}})))["arguments"]
    assert {each for each in given if each.startswith("--")} == known


def test_on_spark_settings_have_values_that_endcap_takes(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = _application(chart(on_spark({"sparkConf": {"spark.local.dir": "/scratch", "spark.sql.shuffle.partitions": "8"}})))
    assert spec["sparkConf"]["spark.local.dir"] == "/scratch"
    assert spec["sparkConf"]["spark.jars.ivy"] == "/tmp/ivy"  # noqa: S108  # the pod's
    for role in ("driver", "executor"):
        given = {name: value for name, value in environment(spec[role]).items() if name.startswith("ENDCAP_")}
        with monkeypatch.context() as environ:
            for name, value in given.items():
                environ.setenv(name, value)
            settings = Settings()
        assert settings.profile == "cluster"
        assert settings.rollouts.served_file == Path("/etc/endcap/served/values.json")
        assert settings.live_dir == Path(_mounts(spec["driver"])["live"]["mountPath"])


def test_a_state_in_object_storage_needs_no_claim(chart: Chart) -> None:
    spark = {"checkpoint": "s3a://shop/stream/checkpoint", "state": "s3://shop/stream/state"}
    objects = chart({**on_spark(spark), "networkPolicies": {"objectStorage": True}})
    assert _application(objects)["arguments"][:4] == ["--checkpoint", spark["checkpoint"], "--state", spark["state"]]
    assert "endcap-stream-spark" not in {each["metadata"]["name"] for each in of_kind(objects, "PersistentVolumeClaim")}
    assert "stream" not in _mounts(_application(objects)["executor"])


def test_either_runner_has_the_same_home_and_the_other_one_is_not_there(chart: Chart) -> None:
    process, spark = chart(stream()), chart(on_spark())
    assert of_kind(process, "SparkApplication") == [] and of_kind(spark, "StatefulSet") == []
    homes = [
        next(each for each in volumes if each["name"] == "home")["persistentVolumeClaim"]["claimName"]
        for volumes in (dict(pod_specs(process))[NAME]["volumes"], _application(spark)["volumes"])
    ]
    assert homes == ["endcap-stream", "endcap-stream"]
    assert _mounts(_application(spark)["driver"])["home"] == _mounts(_container(process))["home"]


def test_the_driver_may_make_its_executors_and_the_process_has_no_rights(chart: Chart) -> None:
    process, spark = chart(stream()), chart(on_spark())
    assert of_kind(process, "Role") == []
    role = one(spark, "Role", "endcap-stream")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} >= {"create", "deletecollection"}
    assert _application(spark)["driver"]["serviceAccount"] == one(spark, "ServiceAccount", "endcap-stream")["metadata"]["name"]


@pytest.mark.parametrize("spark", [{}, {"checkpoint": "s3a://shop/c", "state": "s3://shop/s", "kafkaOptions": {"secretName": "java"}}])
def test_the_application_fits_its_definition(chart: Chart, spark: Document) -> None:
    if not CRDS.is_dir():
        pytest.skip("the operators' definitions are not here")
    placed = {"tolerations": [{"operator": "Exists"}], "nodeSelector": {"pool": "spark"}, "priorityClassName": "high"}
    objects = chart({**on_spark(spark, **placed), "networkPolicies": {"objectStorage": True}})
    application = one(objects, "SparkApplication", "endcap-stream")
    assert faults(application, schemas()[application["apiVersion"], "SparkApplication"]) == []


S3 = {"bundles": {"storageUri": "s3://shop/bundles"}}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"stream": {"enabled": True, "secretName": "letters"}}, "stream.enabled: it reads events from Kafka"),
        (stream(secretName=""), "stream.secretName: name the secret with dead-letters.key"),
        (
            {**stream(), "bundles": {"storageUri": "https://bundles.example/shop"}, "networkPolicies": {"objectStorage": True}},
            "bundles.store: bundles are served from https://bundles.example/shop, which the stream does not open",
        ),
        ({**stream(), **S3, "serving": {"enabled": False}}, "networkPolicies.objectStorage: bundles are downloaded from s3://shop/bundles"),
        (on_spark({"claim": {"accessMode": "ReadWriteOnce"}}), "stream.spark.claim.accessMode: driver and executors are on several nodes"),
        ({**on_spark(), "bundles": {"claim": {"accessMode": "ReadWriteOnce"}}}, "bundles.claim.accessMode: executors of the stream"),
        (on_spark({"checkpoint": "s3a://shop/c"}), "networkPolicies.objectStorage: the stream keeps its state at s3a://shop/c"),
    ],
)
def test_what_cannot_work_is_refused_and_named(chart: Chart, values: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart(values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (stream(runner="flink"), "runner"),
        (stream(replicas=2), "replicas"),
        (stream(claim={"accessMode": "ReadWriteMany"}), "accessMode"),
        (stream(env={"ENDCAP_MILVUS__TOKEN": "hidden"}), "ENDCAP_MILVUS__TOKEN"),
        (stream(terminationGraceSeconds=5), "terminationGraceSeconds"),
        (on_spark({"state": "/mnt/elsewhere"}), "state"),
    ],
)
def test_unknown_and_secret_values_are_refused_by_the_schema(chart: Chart, values: Document, named: str) -> None:
    with pytest.raises(Refused, match="values don't meet the specifications") as refused:
        chart(values)
    assert named in str(refused.value)

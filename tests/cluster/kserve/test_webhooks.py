"""What the webhooks refuse and change, as somebody sees it who writes objects: all by dry runs of the API server."""

from typing import Any

import pytest
import yaml
from kubernetes.client.rest import ApiException

from tests.cluster.chart import CHART, PROFILES, RELEASE, documents, parts_in, values_of
from tests.cluster.command import Command
from tests.cluster.kserve.knative_features import FEATURE_OF_FIELD
from tests.cluster.kserve.knative_features import refusal as knative_refusal
from tests.cluster.kserve.settings import KNATIVE_FEATURES, STORAGE_INITIALIZER_SECURITY
from tests.cluster.kserve.shelf import POD_SECURITY, RESTRICTED, Service, Shelf
from tests.cluster.kserve.storage_initializer import SOURCE_ANNOTATION, with_bundle
from tests.cluster.kserve_objects import standard_objects
from tests.cluster.kserve_pod import predictor_pod
from tests.cluster.pod_templates import pod_of

MANIFESTS = CHART.parents[1] / "manifests"
DRY = ("--dry-run=server", "--validate=strict", "-o", "name")

pytestmark = pytest.mark.usefixtures("webhooks")


def _tried(shelf: Shelf, service: Service) -> dict[str, Any]:
    return shelf.objects.create(service.document(shelf.namespace), dry_run=True)


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (Service("named", model={"name": "kserve-container"}), "the 'name' field is not allowed in standard predictor"),
        (Service("crossed", predictor={"minReplicas": 4, "maxReplicas": 3}), "MinReplicas cannot be greater than MaxReplicas"),
        (Service("below", predictor={"minReplicas": -1}), "MinReplicas cannot be less than 0"),
        (Service("0-digit"), "must start with alphabetical character"),
        (Service("vpa", annotations={"serving.kserve.io/autoscalerClass": "vpa"}), r"\[vpa\] is not a supported autoscaler class type"),
        (
            Service("metric", annotations={"serving.kserve.io/autoscalerClass": "keda"}, predictor={"scaleMetric": "cpu"}),
            "ScaleMetric is not supported for KEDA",
        ),
        (Service("strategy", mode="Knative", predictor={"deploymentStrategy": {"type": "Recreate"}}), "only supported for raw deployment"),
    ],
    ids=lambda each: each.name if isinstance(each, Service) else "",
)
def test_what_kserve_does_not_take_is_refused_when_it_is_written(shelf: Shelf, service: Service, reason: str) -> None:
    with pytest.raises(ApiException, match=f"inferenceservice.kserve-webhook-server.validator.*denied the request: .*{reason}"):
        _tried(shelf, service)


@pytest.mark.parametrize("predictor", [{"minReplicas": 0}, {"minReplicas": 3, "maxReplicas": 0}, {"minReplicas": 3, "maxReplicas": 3}])
def test_replicas_in_order_are_taken(shelf: Shelf, predictor: dict[str, Any]) -> None:
    assert _tried(shelf, Service("ordered", predictor=predictor))["spec"]["predictor"]["minReplicas"] == predictor["minReplicas"]


def test_the_deployment_mode_of_a_living_service_stays(shelf: Shelf) -> None:
    shelf.apply(Service("living"))
    shelf.until(lambda: shelf.status("living").get("deploymentMode") == "Standard", "the mode in the status")
    refused = "update rejected: deploymentMode cannot be changed from 'Standard' to 'Knative'"
    with pytest.raises(ApiException, match=refused):
        shelf.apply(Service("living", mode="Knative"))
    shelf.apply(Service("living", annotations={"team": "search"}))


@pytest.mark.usefixtures("real_schemas")
def test_an_unknown_field_is_refused_by_the_api_server_before_the_webhook_sees_it(shelf: Shelf) -> None:
    with pytest.raises(ApiException, match=r'unknown field \\?\\?"spec\.predictor\.shelf'):
        _tried(shelf, Service("unknown", predictor={"shelf": 1}))


def test_a_service_is_stored_with_defaults(shelf: Shelf) -> None:
    transformer = {"name": "transformer-container", "image": "transformer"}
    stored = _tried(shelf, Service("defaults", predictor={"containers": [transformer]}, model={"resources": {"limits": {"cpu": "2"}}}))
    model = stored["spec"]["predictor"]["model"]
    assert model["name"] == ""
    assert model["resources"] == {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert stored["spec"]["predictor"]["containers"][0]["resources"] == {}
    assert stored["metadata"]["annotations"]["modelFormat"] == "tensorflow"


def test_a_stored_service_can_be_written_again(shelf: Shelf) -> None:
    stored = _tried(shelf, Service("again"))
    again = {**stored, "metadata": {field: stored["metadata"][field] for field in ("name", "namespace", "annotations")}}
    assert shelf.objects.create(again, dry_run=True)["spec"] == stored["spec"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_passes(helm: Command, shelf: Shelf, profile: str) -> None:
    place = ("--namespace", shelf.namespace)
    rendered = helm("template", RELEASE, CHART, *place, "--values", values_of(profile), *parts_in(shelf.namespace))
    accepted = shelf.kubectl("apply", *DRY, "--namespace", shelf.namespace, "-f", "-", stdin=rendered)
    assert f"inferenceservice.serving.kserve.io/{RELEASE}" in accepted.split()


@pytest.mark.parametrize("profile", PROFILES)
def test_an_overlay_passes(shelf: Shelf, profile: str) -> None:
    built = documents(shelf.kubectl("kustomize", MANIFESTS / "overlays" / profile))
    for each in built:
        each["metadata"].pop("namespace", None)  # that of the parts, which is not here
    accepted = shelf.kubectl("apply", *DRY, "--namespace", shelf.namespace, "-f", "-", stdin=yaml.safe_dump_all(built))
    assert f"inferenceservice.serving.kserve.io/{RELEASE}" in accepted.split()


@pytest.mark.parametrize("source", ["pvc://bundles/1", "s3://bundles/1"])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_pods_of_a_profile_get_their_bundle_in_a_restricted_namespace(helm: Command, shelf: Shelf, profile: str, source: str) -> None:
    rendered = documents(helm("template", RELEASE, CHART, "--namespace", shelf.namespace, "--values", values_of(profile)))
    service = next(each for each in rendered if each["kind"] == "InferenceService")
    runtime = next(each for each in rendered if each["kind"] == "ServingRuntime")
    service["metadata"] |= {"namespace": shelf.namespace, "uid": "none"}
    service["spec"]["predictor"]["model"]["storageUri"] = source
    service["spec"]["predictor"]["serviceAccountName"] = "default"
    template = standard_objects(service, predictor_pod(service, runtime))[0]["spec"]["template"]
    pod = pod_of(RELEASE, template)
    pod["metadata"] |= {"namespace": shelf.namespace, "annotations": template["metadata"]["annotations"]}
    _assert_has_bundle(shelf.objects.create(pod, dry_run=True), source)


def _pod(shelf: Shelf, source: str, security: dict[str, Any]) -> dict[str, Any]:
    own = {**RESTRICTED, "seccompProfile": {"type": "RuntimeDefault"}}
    containers = [{"name": each, "image": "none", "securityContext": own} for each in ("kserve-container", "transformer-container")]
    labels, annotations = {"serving.kserve.io/inferenceservice": "shelf"}, {SOURCE_ANNOTATION: source}
    metadata = {"name": "pod", "namespace": shelf.namespace, "labels": labels, "annotations": annotations}
    spec = {"containers": containers, "securityContext": security}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _assert_has_bundle(pod: dict[str, Any], source: str) -> None:
    for container in pod["spec"]["containers"]:
        mount = next(each for each in container["volumeMounts"] if each["mountPath"] == "/mnt/models")
        assert mount["readOnly"], container["name"]
    initializers = [each["args"] for each in pod["spec"].get("initContainers", []) if each["name"] == "storage-initializer"]
    assert initializers == ([] if source.startswith("pvc://") else [[source, "/mnt/models"]])


def test_both_containers_get_the_bundle_from_object_storage(shelf: Shelf) -> None:
    _assert_has_bundle(shelf.objects.create(_pod(shelf, "s3://bundles/1", POD_SECURITY), dry_run=True), "s3://bundles/1")


def test_a_claim_is_mounted_as_it_is(shelf: Shelf) -> None:
    pod = shelf.objects.create(_pod(shelf, "pvc://bundles/20261124", {}), dry_run=True)
    _assert_has_bundle(pod, "pvc://bundles/20261124")
    mount = next(each for each in pod["spec"]["containers"][1]["volumeMounts"] if each["mountPath"] == "/mnt/models")
    volume = next(each for each in pod["spec"]["volumes"] if each["name"] == mount["name"])
    assert (volume["persistentVolumeClaim"]["claimName"], mount["subPath"]) == ("bundles", "20261124")


def test_object_storage_without_a_profile_of_the_pod_is_refused_in_a_restricted_namespace(shelf: Shelf) -> None:
    """What Knative's pods look like, where each container has a profile and the pod has none."""
    with pytest.raises(ApiException, match=r"violates PodSecurity.*seccompProfile.*storage-initializer"):
        shelf.objects.create(_pod(shelf, "s3://bundles/1", {}), dry_run=True)


def test_a_profile_in_the_storage_container_is_the_other_way(shelf: Shelf) -> None:
    security = {**STORAGE_INITIALIZER_SECURITY, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = with_bundle(_pod(shelf, "s3://bundles/1", {}), lambda name: None, lambda name: None, security)
    assert shelf.objects.create(pod, dry_run=True)["spec"]["initContainers"]


def test_a_pod_of_somebody_elses_is_left_alone(shelf: Shelf) -> None:
    pod = _pod(shelf, "s3://bundles/1", POD_SECURITY)
    del pod["metadata"]["labels"]
    assert "initContainers" not in shelf.objects.create(pod, dry_run=True)["spec"]


def _knative_service(shelf: Shelf, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "kserve-container", "image": "none"}, {"name": "other", "image": "none", "ports": [{"containerPort": 8080}]}]
    metadata = {"name": "knative", "namespace": shelf.namespace}
    template = {"spec": {"containers": containers, **spec}}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": {"template": template}}


FIELDS: dict[str, Any] = {
    "affinity": {"nodeAffinity": {}},
    "initContainers": [{"name": "first", "image": "none"}],
    "nodeSelector": {"pool": "gpu"},
    "priorityClassName": "high",
    "securityContext": POD_SECURITY,
    "tolerations": [{"operator": "Exists"}],
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
}


@pytest.mark.parametrize("field", sorted(FEATURE_OF_FIELD))
def test_knative_refuses_a_field_whose_feature_is_off(shelf: Shelf, field: str) -> None:
    wanted = _knative_service(shelf, **{field: FIELDS[field]})
    with pytest.raises(ApiException, match=rf"must not set the field\(s\): spec\.template\.spec\.{field}"):
        shelf.objects.create(wanted, dry_run=True)
    assert knative_refusal(wanted, frozenset({FEATURE_OF_FIELD[field]})) is None


def test_knative_refuses_a_claim_whose_feature_is_off(shelf: Shelf) -> None:
    wanted = _knative_service(shelf, volumes=[{"name": "live", "persistentVolumeClaim": {"claimName": "live"}}])
    with pytest.raises(ApiException, match="Persistent volume claim support is disabled, but found persistent volume claim live"):
        shelf.objects.create(wanted, dry_run=True)
    assert knative_refusal(wanted, KNATIVE_FEATURES) is None


def test_knative_never_takes_a_policy_for_the_change_of_the_group(shelf: Shelf) -> None:
    wanted = _knative_service(shelf, securityContext={**POD_SECURITY, "fsGroupChangePolicy": "OnRootMismatch"})
    refused = knative_refusal(wanted, KNATIVE_FEATURES)
    assert refused == "validation failed: must not set the field(s): spec.template.spec.securityContext.fsGroupChangePolicy"


def test_knative_probes_one_container_unless_its_feature_is_on(shelf: Shelf) -> None:
    wanted = _knative_service(shelf)
    wanted["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8500}}
    with pytest.raises(ApiException, match=r"must not set the field\(s\): spec\.template\.spec\.containers\[0\]\.readinessProbe"):
        shelf.objects.create(wanted, dry_run=True)
    assert knative_refusal(wanted, KNATIVE_FEATURES) is None


def test_a_service_that_knative_refuses_says_so_in_its_status(shelf: Shelf) -> None:
    shelf.apply(Service("featureless", mode="Knative", predictor={"nodeSelector": {"pool": "gpu"}}))
    shelf.until(lambda: shelf.condition("featureless").get("reason") == "ReconcileFailed", "the refusal")
    assert "must not set the field(s): spec.template.spec.nodeSelector" in shelf.condition("featureless")["message"]

"""Claims: those that must exist do, and those that are made have a storage class that can."""

from collections.abc import Iterator
from dataclasses import dataclass

from endcap.doctor.check import Check, Outcome, gap, ok, unknown, warning
from endcap.doctor.cluster import Cluster, Document
from endcap.doctor.release import Release

SHARED = "ReadWriteMany"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
ONE_NODE = (
    "disk.csi.azure.com",
    "ebs.csi.aws.com",
    "kubernetes.io/aws-ebs",
    "kubernetes.io/azure-disk",
    "kubernetes.io/gce-pd",
    "pd.csi.storage.gke.io",
    "rancher.io/local-path",
    "rbd.csi.ceph.com",
)
"""Provisioners of disks that one node can mount as a file system, by the ends of their names."""
MANY_NODES = (
    "cephfs.csi.ceph.com",
    "driver.longhorn.io",
    "efs.csi.aws.com",
    "file.csi.azure.com",
    "filestore.csi.storage.gke.io",
    "kubernetes.io/azure-file",
    "nfs.csi.k8s.io",
    "nfs-subdir-external-provisioner",
)


@dataclass(frozen=True)
class Claim:
    """A claim of the release.

    Attributes:
        mode: access mode that the claim requests; empty for whatever it has.
        storage_class: empty for the cluster's default.
    """

    namespace: str
    name: str
    mode: str
    storage_class: str
    is_made: bool
    because: str


def checks(release: Release) -> Iterator[Check]:
    for claim in claims(release):
        mode = f", {claim.mode}" if claim.mode else ""
        needed = f"a storage class for claim {claim.name}{mode}" if claim.is_made else f"claim {claim.name}"
        look = _class if claim.is_made else _existing
        yield Check("Storage", f"claim-{claim.name}", needed, claim.because, lambda cluster, claim=claim, look=look: look(cluster, claim))  # type: ignore[misc]


def claims(release: Release) -> Iterator[Claim]:
    """Claims that pods of these values mount."""
    values = release.values
    own = release.namespace
    mounts_bundles = release.runs_any("serving", "pipelines", "stream")
    if release.uses_claim and (mounts_bundles or values["bundles.claim.create"]):
        yield _claim(release, "bundles.claim", release.bundles_claim)
    if values["pipelines.enabled"] or values["spark.enabled"]:
        yield _claim(release, "workspace.claim", release.workspace_claim)
    if values["serving.live.claimName"]:
        yield Claim(own, release.live_claim, "", "", is_made=False, because="serving.live.claimName")
    elif release.live_claim:
        yield _claim(release, "evidence.claim", release.live_claim)
    if release.stream_runner:
        yield _claim(release, "stream.claim", release.stream_claim)
    if release.stream_spark_claim:
        yield _claim(release, "stream.spark.claim", release.stream_spark_claim)
    for volume in (values["pipelines.volumes"] or ()) if values["pipelines.enabled"] else ():
        yield Claim(release.pipeline_namespace, str(volume["claimName"]), "", "", is_made=False, because="pipelines.volumes")
    if values["redis.enabled"] and values["redis.persistence.enabled"]:
        name, of = f"data-{release.fullname}-redis-0", str(values["redis.persistence.storageClassName"] or "")
        yield Claim(own, name, "ReadWriteOnce", of, is_made=True, because="redis.persistence")
    if values["collector.enabled"]:
        name, of = f"data-{release.fullname}-collector-0", str(values["collector.spool.storageClassName"] or "")
        yield Claim(own, name, "ReadWriteOnce", of, is_made=True, because="collector.spool")
    if values["schemaRegistry.enabled"]:
        name, of = f"data-{release.fullname}-schema-registry-0", str(values["schemaRegistry.persistence.storageClassName"] or "")
        yield Claim(own, name, "ReadWriteOnce", of, is_made=True, because="schemaRegistry.persistence")
    if values["kafka.enabled"]:
        of = str(values["kafka.storage.storageClassName"] or "")
        yield Claim(own, f"data-0-{release.fullname}-*", "ReadWriteOnce", of, is_made=True, because="kafka.storage")


def _claim(release: Release, value: str, name: str) -> Claim:
    values = release.values
    mode, of = str(values[f"{value}.accessMode"] or ""), str(values[f"{value}.storageClassName"] or "")
    return Claim(release.namespace, name, mode, of, is_made=bool(values[f"{value}.create"]), because=value)


def _existing(cluster: Cluster, claim: Claim) -> Outcome:
    found = _read(cluster, claim)
    if found is None:
        return gap(f"it is not in {claim.namespace}", f"create it, or name another one in {claim.because}")
    return _bound(claim, found)


def _class(cluster: Cluster, claim: Claim) -> Outcome:
    found = _read(cluster, claim)
    if found is not None and found.get("status", {}).get("phase") == "Bound":
        return _bound(claim, found)
    if claim.storage_class:
        of = cluster.get(f"/apis/storage.k8s.io/v1/storageclasses/{claim.storage_class}")
        if of is None:
            return gap(f"there is no storage class {claim.storage_class}", f"name one of `kubectl get storageclass` in {claim.because}")
    else:
        defaults = [each for each in cluster.items("/apis/storage.k8s.io/v1/storageclasses") if _is_default(each)]
        if not defaults:
            return gap("the cluster has no default storage class", f"name one of `kubectl get storageclass` in {claim.because}")
        of = defaults[-1]
    return judge(claim, str(of["metadata"]["name"]), str(of["provisioner"]))


def judge(claim: Claim, storage_class: str, provisioner: str) -> Outcome:
    """Whether a class makes claims of this mode, by its provisioner."""
    shown = f"{storage_class} ({provisioner})"
    if claim.mode in ("ReadWriteOnce", "ReadWriteOncePod", ""):
        return ok(shown)
    if provisioner.endswith(ONE_NODE):
        fix = f"name a class of shared file systems in {claim.because}, or keep bundles in object storage"
        return gap(f"{shown} makes disks that one node mounts", fix)
    if provisioner.endswith(MANY_NODES):
        return ok(shown)
    return unknown(f"{shown}: whether it can do {claim.mode} is not known", "ask whoever runs the storage")


def _read(cluster: Cluster, claim: Claim) -> Document | None:
    return cluster.get(f"/api/v1/namespaces/{claim.namespace}/persistentvolumeclaims/{claim.name}")


def _bound(claim: Claim, found: Document) -> Outcome:
    phase = found.get("status", {}).get("phase", "")
    modes = list(found["spec"].get("accessModes", ()))
    shown = f"{', '.join(modes)}, {phase or 'no phase'}"
    if claim.mode and claim.mode not in modes:
        return gap(f"the claim that is there has {shown}", f"set {claim.because}.accessMode to its own, or make another claim")
    if phase == "Bound":
        return ok(shown)
    if phase == "Lost":
        return gap(shown, f"see: kubectl describe persistentvolumeclaim {claim.name} --namespace {claim.namespace}")
    return warning(shown, "it is bound when its first pod starts, if its storage class says so")


def _is_default(storage_class: Document) -> bool:
    return bool((storage_class["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true")

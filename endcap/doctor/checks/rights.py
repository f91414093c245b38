"""Rights: the caller's own to install the release, and those of the parts' accounts once it is installed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from endcap.contracts.rollout import GROUP, PLURAL
from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.cluster import REQUESTS_AT_ONCE, Cluster, Right
from endcap.doctor.release import Release
from endcap.doctor.rendered_kinds import rendered_kinds

INSTALL_VERBS = ("get", "create", "patch", "delete")
HELM_VERBS = ("get", "list", "create", "update", "delete")
"""On secrets, in which Helm keeps its releases."""
SHOWN = 6


@dataclass(frozen=True)
class Account:
    """A service account and what it must be able to do."""

    part: str
    namespace: str
    name: str
    because: str
    rights: tuple[Right, ...]


def checks(release: Release) -> Iterator[Check]:
    by_namespace: dict[str, list[Right]] = defaultdict(list)
    for kind in sorted(rendered_kinds(release)):
        by_namespace[kind.namespace] += [Right(verb, kind.group, kind.plural, kind.namespace) for verb in INSTALL_VERBS]
    by_namespace[release.namespace] += [Right(verb, "", "secrets", release.namespace) for verb in HELM_VERBS]
    for namespace, rights in sorted(by_namespace.items(), key=lambda each: each[0] != release.namespace):
        count = len({(each.group, each.resource) for each in rights})
        name = "install" if namespace == release.namespace else f"install-{namespace or 'definitions'}"
        made = f"{count} kinds in {namespace}" if namespace else "definitions"
        yield Check(
            "Rights",
            name,
            f"you may make and delete {made}",
            "helm install" if namespace else "crds.enabled",
            lambda cluster, rights=rights: _own(cluster, rights),  # type: ignore[misc]
        )
    for account in accounts(release):
        yield Check(
            "Rights",
            f"grant-{account.part.replace(' ', '-').lower()}",
            f"you may give {len(account.rights)} rights to the {account.part}",
            account.because,
            lambda cluster, account=account: _may_give(cluster, account),  # type: ignore[misc]
        )
        yield Check(
            "Rights",
            f"account-{account.part.replace(' ', '-').lower()}",
            f"the {account.part} has its {len(account.rights)} rights",
            account.because,
            lambda cluster, account=account: _account(cluster, account),  # type: ignore[misc]
        )


def accounts(release: Release) -> Iterator[Account]:
    """Accounts of the values that have Roles."""
    values, own = release.values, release.namespace
    if values["rollouts.operator.enabled"]:
        rights = _operator(own)
        if release.stream_runner:
            rights += [Right(verb, "", "configmaps", own, f"{release.fullname}-served") for verb in ("get", "patch")]
        yield Account("rollout operator", own, release.operator_account, "rollouts.operator.enabled", tuple(rights))
    if values["pipelines.enabled"]:
        place = release.pipeline_namespace
        rights = _rights(own, GROUP, PLURAL, "get list create")
        if not values["pipelines.serviceAccountName"]:
            rights += _rights(place, "argoproj.io", "workflowtaskresults", "create patch")
            rights.append(Right("get", "", "configmaps", place, "kfp-launcher"))
            rights.append(Right("get", "", "secrets", place, "mlpipeline-minio-artifact"))
        yield Account("pipeline steps", place, release.pipeline_account, "pipelines.enabled", tuple(rights))
    if kind := release.schedule_kind:
        because = "pipelines.schedule" if values["pipelines.schedule.enabled"] else "pipelines.host, hooks.enabled"
        rights = list(_schedule(release.pipeline_namespace, kind, has_hooks=bool(values["hooks.enabled"])))
        yield Account("training schedule", own, release.schedule_account, because, tuple(rights))
    if values["spark.enabled"]:
        yield Account("Spark driver", own, release.spark_account, "spark.enabled", tuple(_spark_driver(own)))
    if release.stream_runner == "spark":
        yield Account("stream on Spark", own, release.stream_account, "stream.runner", tuple(_spark_driver(own)))


def _spark_driver(namespace: str) -> list[Right]:
    verbs = "get list watch create update patch delete deletecollection"
    made = ("pods", "services", "configmaps", "persistentvolumeclaims")
    return [right for resource in made for right in _rights(namespace, "", resource, verbs)]


def _operator(namespace: str) -> list[Right]:
    return [
        *_rights(namespace, GROUP, PLURAL, "get list watch patch"),
        *_rights(namespace, GROUP, f"{PLURAL}/status", "patch"),
        *_rights(namespace, "serving.kserve.io", "inferenceservices", "get list create patch delete"),
        *_rights(namespace, "gateway.networking.k8s.io", "httproutes", "get patch"),
        *_rights(namespace, "apps", "deployments", "get"),
        *_rights(namespace, "serving.knative.dev", "services", "get"),
        *_rights(namespace, "", "pods", "list"),
        *_rights(namespace, "", "events", "create"),
    ]


def _schedule(namespace: str, kind: str, *, has_hooks: bool) -> Iterator[Right]:
    """What Kubeflow Pipelines for many users asks about whoever calls it; its word for recurring runs is jobs."""
    group = "pipelines.kubeflow.org"
    if kind != "removal":
        for resource in ("pipelines", "pipelines/versions"):
            yield from _rights(namespace, group, resource, "get list")
        yield from _rights(namespace, group, "experiments", "get list create")
    if kind == "cronJob":
        yield from _rights(namespace, group, "runs", "get create")
    if kind == "recurringRun" or has_hooks:
        yield from _rights(namespace, group, "jobs", "get list delete" + (" create" if kind == "recurringRun" else ""))


def _rights(namespace: str, group: str, resource: str, verbs: str) -> list[Right]:
    return [Right(verb, group, resource, namespace) for verb in verbs.split()]


def _own(cluster: Cluster, rights: list[Right]) -> Outcome:
    namespace = rights[0].namespace
    if cluster.may(Right("*", "*", "*", namespace)):
        return ok("everything is allowed")
    missing = refused(rights, cluster.may)
    return gap(f"not allowed: {shown(missing)}", "ask the cluster's administrators for these rights") if missing else ok("allowed")


def _may_give(cluster: Cluster, account: Account) -> Outcome:
    """Kubernetes lets a Role be made only by one who has its rights, or may escalate."""
    place = account.rights[0].namespace
    if cluster.may(Right("escalate", "rbac.authorization.k8s.io", "roles", place)):
        return ok("allowed to escalate Roles")
    missing = refused(account.rights, cluster.may)
    if missing:
        return gap(f"a Role with rights you lack is refused: {shown(missing)}", "ask for these rights, or for the verb escalate on roles")
    return ok("you have them yourself")


def _account(cluster: Cluster, account: Account) -> Outcome | None:
    if cluster.get(f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}") is None:
        return None  # not installed yet
    missing = refused(account.rights, lambda right: cluster.may_account(account.namespace, account.name, right))
    if missing:
        fix = f"look at the Role and RoleBinding {account.name} in {account.rights[0].namespace}: `helm upgrade` puts them back"
        return gap(f"account {account.name} may not: {shown(missing)}", fix)
    return ok(f"account {account.name} has them")


def refused(rights: Iterable[Right], may: Callable[[Right], bool]) -> list[Right]:
    """Those that are not granted, queried at the same time."""
    rights = list(rights)
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as threads:
        return [right for right, is_granted in zip(rights, threads.map(may, rights), strict=True) if not is_granted]


def shown(missing: list[Right]) -> str:
    """The first of them by resource, and how many more there are."""
    verbs: dict[str, list[str]] = defaultdict(list)
    for each in missing:
        verbs[f"{each.resource}{'.' if each.group else ''}{each.group}"].append(each.verb)
    lines = [f"{', '.join(dict.fromkeys(each))} {resource}" for resource, each in verbs.items()]
    more = f"; and {len(lines) - SHOWN} more kinds" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more

"""Rights: the caller's own to install the release, and those of the parts' accounts once it is installed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.cluster import REQUESTS_AT_ONCE, Cluster, Right
from endcap.doctor.granted_rights import Account, accounts
from endcap.doctor.release import Release
from endcap.doctor.rendered_kinds import rendered_kinds

INSTALL_VERBS = ("get", "create", "patch", "delete")
HELM_VERBS = ("get", "list", "create", "update", "delete")
"""On secrets, in which Helm keeps its releases."""
SHOWN = 6


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

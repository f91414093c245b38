"""The schema registry that the values name: something answers there as Confluent's API does."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.checks.stores import secret_text
from endcap.doctor.cluster import Cluster
from endcap.doctor.reach import Unreachable, ask_http, in_cluster
from endcap.doctor.release import Release

OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403


def checks(release: Release) -> Iterator[Check]:
    if url := str(release.values["schemaRegistry.url"] or ""):
        needed = f"a schema registry at {url}"
        yield Check("Schema registry", "address", needed, "schemaRegistry.url", lambda cluster: _answers(cluster, release, url))


def _answers(cluster: Cluster, release: Release, url: str) -> Outcome:
    authority = secret_text(cluster, release.namespace, release.values["schemaRegistry.caSecretName"], "ca.crt")
    try:
        status = ask_http(f"{url.rstrip('/')}/subjects", authority).status
    except Unreachable as reason:
        return in_cluster(cluster, url, release.namespace, reason)
    if status in (UNAUTHORIZED, FORBIDDEN):
        if release.values["schemaRegistry.auth.secretName"]:
            return ok("it answers, and lets in who logs in")
        return gap(f"it answers {status}: it asks clients for something", "name a secret with that in schemaRegistry.auth.secretName")
    if status != OK:
        return gap(
            f"it answers {status} to /subjects", "give the address of Confluent's API, of Apicurio's for example .../apis/ccompat/v7"
        )
    return ok("it answers")

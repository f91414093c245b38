"""Lengths of names: what KServe makes of the release's name and namespace stays within 63 characters."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.release import Release

LABEL_MAX = 63
CANDIDATE = "-candidate"
PREDICTOR = "-predictor"


def checks(release: Release) -> Iterator[Check]:
    if release.values["serving.enabled"]:
        yield Check("Namespace", "names", "names that KServe can lengthen", "--release, fullnameOverride", lambda _: judge(release))


def judge(release: Release) -> Outcome:
    """By the longest of the names that are made."""
    too_long = max(_made(release), key=len)
    if len(too_long) > LABEL_MAX:
        fix = f"shorten fullnameOverride or the namespace by {len(too_long) - LABEL_MAX} characters"
        return gap(f"{too_long} has {len(too_long)} characters, KServe takes {LABEL_MAX}", fix)
    return ok(f"the longest has {len(too_long)} of {LABEL_MAX} characters")


def _made(release: Release) -> Iterator[str]:
    """Host and label of each InferenceService; in Knative mode host and revision."""
    for name in _names(release):
        if release.is_standard:
            yield f"{name}{PREDICTOR}-{release.namespace}"
            yield f"isvc.{name}{PREDICTOR}"
        else:
            yield f"{name}-{release.namespace}"
            yield f"{name}{PREDICTOR}-00001"


def _names(release: Release) -> Iterator[str]:
    yield release.fullname
    if release.values["rollouts.operator.enabled"] and release.is_standard:
        yield release.fullname + CANDIDATE
    for variant in release.values["experiments.variants"] or ():
        yield f"{release.fullname}-{variant['name']}"

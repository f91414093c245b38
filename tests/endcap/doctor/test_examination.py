"""Checks run beside each other, and one that fails or hangs is an unknown row."""

import threading

from endcap.core.errors import DependencyUnavailable
from endcap.doctor.check import Check, Outcome, ok
from endcap.doctor.cluster import Cluster, NotAllowed
from endcap.doctor.examination import run_checks
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import made_cluster


def _check(name: str, look: object) -> Check:
    return Check("part", name, "needed", "because", look)  # type: ignore[arg-type]


def test_an_error_of_one_check_is_its_own_unknown_row() -> None:
    def fails(error: Exception) -> object:
        def look(_: Cluster) -> Outcome:
            raise error

        return look

    checks = [
        _check("forbidden", fails(NotAllowed("visitor may not list nodes"))),
        _check("away", fails(DependencyUnavailable("no answer"))),
        _check("bug", fails(KeyError("spec"))),
        _check("good", lambda _: ok("there")),
    ]
    found = run_checks(checks, made_cluster({}))
    assert [(each.check, each.state) for each in found] == [
        ("forbidden", State.UNKNOWN),
        ("away", State.UNKNOWN),
        ("bug", State.UNKNOWN),
        ("good", State.OK),
    ]
    assert "visitor may not list nodes" in found[0].found
    assert "KeyError" in found[2].found


def test_a_check_that_hangs_is_unknown_and_holds_up_no_other() -> None:
    never, both = threading.Event(), threading.Barrier(2, timeout=10.0)

    def together(_: Cluster) -> Outcome:
        both.wait()
        return ok("at the same time")

    checks = [_check("hangs", lambda _: never.wait()), _check("one", together), _check("two", together)]
    try:
        found = run_checks(checks, made_cluster({}), timeout_s=1.0)
    finally:
        never.set()
    assert [each.state for each in found] == [State.UNKNOWN, State.OK, State.OK]
    assert found[0].found == "no answer within 1 s"


def test_a_check_with_nothing_to_report_has_no_row() -> None:
    assert run_checks([_check("not installed", lambda _: None)], made_cluster({})) == []

"""Reading a cluster: what is not there, what may not be read, and what does not answer are told apart, and nothing is written."""

import pytest
from kubernetes.client.exceptions import ApiException

from endcap.core.errors import DependencyUnavailable
from endcap.doctor.cluster import Cluster, NotAllowed, Right, _refusal
from endcap.doctor.examination import checks_of, examine
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import MadeApiClient, items, made_cluster, made_release

REVIEWS = ("selfsubjectaccessreviews", "localsubjectaccessreviews")


def test_what_is_not_there_is_none_and_what_may_not_be_read_is_an_error() -> None:
    cluster = made_cluster({"/secret": 403, "/broken": 500, "/stranger": 401})
    assert cluster.get("/absent") is None
    assert cluster.items("/absent") == []
    with pytest.raises(NotAllowed, match="visitor may not"):
        cluster.get("/secret")
    with pytest.raises(DependencyUnavailable, match="500"):
        cluster.get("/broken")
    with pytest.raises(DependencyUnavailable, match="does not know the caller"):
        cluster.get("/stranger")


def test_a_document_is_read_once() -> None:
    client = MadeApiClient({"/list": items({"a": 1})})
    cluster = Cluster(client)
    assert cluster.items("/list") == cluster.items("/list") == [{"a": 1}]
    assert client.sent == [("GET", "/list")]


def test_an_account_is_asked_about_as_itself_where_reviews_of_it_are_forbidden() -> None:
    right = Right("get", "", "pods", "shop")
    place = "/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews"
    assert made_cluster({place: 403}, rights={"get pods"}).may_account("shop", "driver", right)
    own = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    with pytest.raises(NotAllowed):
        made_cluster({place: 403, own: 403}).may_account("shop", "driver", right)


def test_nothing_is_written_but_questions_about_rights() -> None:
    client = MadeApiClient({"/version": {"gitVersion": "v1.30.0"}})
    examine(Cluster(client), made_release(profile="production"), "0.1.0", timeout_s=20.0)
    assert {method for method, _ in client.sent} == {"GET", "POST"}
    assert [path for method, path in client.sent if method == "POST" and not path.endswith(REVIEWS)] == []


@pytest.mark.parametrize("profile", ["minimal", "gpu", "production", "multi-region"])
def test_who_may_read_nothing_is_never_shown_a_good_row_about_what_was_not_read(profile: str) -> None:
    class Closed(MadeApiClient):
        def call_api(self, path: str, method: str, **options: object) -> tuple[object, ...]:
            self._answers = {path: {"gitVersion": "v1.30.0"} if path == "/version" else 403}
            return super().call_api(path, method, **options)

    findings = examine(Cluster(Closed({})), made_release(profile=profile), "0.1.0", timeout_s=20.0).findings
    assert {each.check for each in findings if each.state is State.OK} == {"version", "names"}
    assert [each.part for each in findings if each.state is State.OK and each.check == "version"] == ["Kubernetes"]
    unread = [each for each in findings if each.state is State.UNKNOWN]
    assert len(unread) > len(findings) / 2
    assert [each for each in unread if not each.fix] == []


def test_a_server_without_a_version_is_no_cluster() -> None:
    with pytest.raises(DependencyUnavailable, match="no API server"):
        examine(made_cluster({}), made_release(), "0.1.0")


@pytest.mark.parametrize("profile", ["minimal", "gpu", "production", "multi-region"])
def test_part_and_check_name_one_row(profile: str) -> None:
    more = {
        "kafka": {"enabled": False, "bootstrap": "one:9092,two:9092"},
        "route": {"gateway": {"create": False}, "parentRefs": [{"name": "a"}, {"name": "b"}, {"name": "b", "sectionName": "https"}]},
        "pipelines": {"namespace": "training"},
        "parts": {"namespace": "parts"},
    }
    for values in ({}, more):
        rows = [(each.part, each.name) for each in checks_of(made_release(values, profile=profile))]
        assert len(rows) == len(set(rows))


@pytest.mark.parametrize("body", [None, "<html>", "{}"])
def test_an_answer_that_is_no_document_is_told_by_its_reason(body: str | None) -> None:
    error = ApiException(status=500, reason="Internal Server Error")
    error.body = body
    assert "Internal Server Error" in str(_refusal("/broken", error))

"""The candidate's InferenceService as a copy of the stable one."""

from endcap_rollout_operator.kserve.candidate import candidate_document, is_owned_by, orphan_patch
from tests.services.rollout_operator.documents import STABLE, stable
from tests.services.rollout_operator.state.made_cluster import NEW, made_rollout


def test_it_is_the_stable_one_with_another_bundle() -> None:
    made = candidate_document(stable(), made_rollout(), NEW)
    assert made["metadata"]["name"] == "endcap-candidate"
    assert made["spec"]["predictor"]["model"] == {"runtime": "endcap-tensorflow-serving", "storageUri": NEW.storage_uri}
    assert made["spec"]["predictor"]["containers"] == STABLE["spec"]["predictor"]["containers"]
    annotations = made["metadata"]["annotations"]
    assert (annotations["endcap.dev/bundle"], annotations["endcap.dev/collection"]) == ("2", "endcap_2")


def test_no_tool_takes_it_for_its_own() -> None:
    made = candidate_document(stable(), made_rollout(), NEW)["metadata"]
    assert made["labels"] == {
        "endcap.dev/target": "endcap",
        "endcap.dev/track": "candidate",
        "app.kubernetes.io/managed-by": "endcap-rollout-operator",
        "app.kubernetes.io/name": "endcap",
    }
    assert not [name for name in made["annotations"] if name.startswith(("meta.helm.sh/", "kubectl.kubernetes.io/"))]
    assert "resourceVersion" not in made


def test_it_goes_with_its_rollout_and_is_known_by_it() -> None:
    rollout = made_rollout()
    made = candidate_document(stable(), rollout, NEW)
    assert is_owned_by(made, rollout)
    assert not is_owned_by(made, made_rollout(uid="another"))


def test_it_outlives_its_rollout_when_it_is_let_go() -> None:
    rollout = made_rollout()
    made = candidate_document(stable(), rollout, NEW)
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "another", "uid": "another"}
    made["metadata"] |= {"resourceVersion": "9", "ownerReferences": [*made["metadata"]["ownerReferences"], other]}
    test, change = orphan_patch(made, rollout)
    assert test == {"op": "test", "path": "/metadata/resourceVersion", "value": "9"}
    assert (change["path"], change["value"]) == ("/metadata/ownerReferences", [other])


def test_it_is_scaled_by_its_own_pods() -> None:
    query = 'sum(rate(endcap_lists_total{pod=~"endcap-predictor-.*"}[2m]))'
    scaling = {"metrics": [{"external": {"metric": {"query": query}}}]}
    made = candidate_document(stable(autoScaling=scaling), made_rollout(), NEW)
    scaled_by = made["spec"]["predictor"]["autoScaling"]["metrics"][0]["external"]["metric"]["query"]
    assert scaled_by == query.replace("endcap-predictor-", "endcap-candidate-predictor-")


def test_the_stable_document_stays_as_it_is() -> None:
    document = stable()
    candidate_document(document, made_rollout(), NEW)
    assert document == STABLE

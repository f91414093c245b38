"""A Kubeflow Pipelines API in Kubernetes-native mode: its pipelines are objects of the API server, and so is what it knows of its callers.

Each rule names the observation it rests on.

- A pipeline's id, and a version's, is the uid of its object (seen: the chart had to know `metadata.uid` for a ScheduledWorkflow).
- A caller is the account of its token, with the audience `pipelines.kubeflow.org` (TokenReview), and may do what a SubjectAccessReview on
  that group allows (known from the server's code: resources `pipelines`, `experiments`, `runs`, and `jobs` for recurring runs).

Kinder than the real one: experiments, runs and recurring runs are kept in memory; no ScheduledWorkflow is made, `fire` starts a run.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.cluster.rest import Objects
from tests.pipelines.kfp_server.packages import read_package
from tests.pipelines.kfp_server.request import Request, Status
from tests.pipelines.kfp_server.state import Pipelines

GROUP = "pipelines.kubeflow.org"
API_VERSION = f"{GROUP}/v2beta1"
REVIEWED = {
    "pipeline_service_list_pipelines": ("pipelines", "list"),
    "pipeline_service_list_pipeline_versions": ("pipelines", "list"),
    "experiment_service_list_experiments": ("experiments", "list"),
    "experiment_service_create_experiment": ("experiments", "create"),
    "run_service_create_run": ("runs", "create"),
    "recurring_run_service_list_recurring_runs": ("jobs", "list"),
    "recurring_run_service_create_recurring_run": ("jobs", "create"),
    "recurring_run_service_delete_recurring_run": ("jobs", "delete"),
}
"""Resource and verb that an operation is reviewed for."""


class Accounts(dict[str, list[str]]):
    """Everybody with a token may ask; what may be done in a namespace is reviewed there."""

    def __contains__(self, token: object) -> bool:
        return token is not None


@dataclass
class KubernetesNative(Pipelines):
    """The API of a multi-user server whose pipelines are in one namespace of the cluster.

    Attributes:
        api_client: of the `kubernetes` package, used by nobody else.
        namespace: a profile's.
        reviews: resource and verb of each review that was passed.
    """

    people: dict[str, list[str]] | None = field(default_factory=Accounts)
    api_client: Any = None
    namespace: str = ""
    reviews: set[tuple[str, str]] = field(default_factory=set)

    def answer(self, request: Request) -> Any:
        self._read_objects()
        return super().answer(request)

    def fire(self, identity: str) -> Any:
        self._read_objects()
        return super().fire(identity)

    def namespace_of(self, request: Request, given: str | None) -> str:
        if not given:
            raise Status(400, "in multi-user mode, namespace must be given")
        resource, verb = REVIEWED[request.operation.name]
        if not self._may(self._caller(request), given, resource, verb):
            raise Status(403, f"User is not authorized to {verb} {resource} in namespace {given}")
        self.reviews.add((resource, verb))
        return given

    def _read_objects(self) -> None:
        objects = Objects(self.api_client, "kfp-stand-in")
        pipelines = objects.list_all(API_VERSION, "Pipeline", self.namespace)
        by_name = {each["metadata"]["name"]: each["metadata"]["uid"] for each in pipelines}
        self.pipelines = {each["metadata"]["uid"]: (each["spec"]["displayName"], self.namespace) for each in pipelines}
        versions = objects.list_all(API_VERSION, "PipelineVersion", self.namespace)
        versions.sort(key=lambda each: each["metadata"]["creationTimestamp"])
        self.versions = {
            each["metadata"]["uid"]: (
                each["spec"]["displayName"],
                by_name[each["spec"]["pipelineName"]],
                read_package(yaml.safe_dump_all([each["spec"]["pipelineSpec"], each["spec"]["platformSpec"]])),
            )
            for each in versions
            if each["spec"]["pipelineName"] in by_name
        }

    def _caller(self, request: Request) -> dict[str, Any]:
        from kubernetes import client

        review = client.V1TokenReview(spec=client.V1TokenReviewSpec(token=request.token, audiences=[GROUP]))
        status = client.AuthenticationV1Api(self.api_client).create_token_review(review).status
        if not status.authenticated:
            raise Status(401, "Request header error: there is no user identity header")
        return {"user": status.user.username, "groups": status.user.groups}

    def _may(self, caller: dict[str, Any], namespace: str, resource: str, verb: str) -> bool:
        from kubernetes import client

        wanted = client.V1ResourceAttributes(namespace=namespace, verb=verb, group=GROUP, version="v1beta1", resource=resource)
        review = client.V1SubjectAccessReview(spec=client.V1SubjectAccessReviewSpec(resource_attributes=wanted, **caller))
        return bool(client.AuthorizationV1Api(self.api_client).create_subject_access_review(review).status.allowed)

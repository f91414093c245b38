"""What a Kubeflow Pipelines API keeps, and how the real one answers: pipelines, versions, experiments and runs by namespace.

Runs end as the test says. A gateway before a multi-user server knows people by their tokens.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.pipelines.kfp_server.packages import read_package
from tests.pipelines.kfp_server.published_api import published_answer
from tests.pipelines.kfp_server.recurring_runs import RecurringRuns
from tests.pipelines.kfp_server.request import Request, Status, filtered, page_of


@dataclass
class Pipelines(RecurringRuns):
    """The server's state, and what a test wants of it.

    Attributes:
        states: of a run, one a look; the last one stays.
        failing_step: named in a run that failed.
        refused: status by operation, given once.
        lost_answers: operations that are done but answered with 409, as when two people do the same at once.
        login_page: whether a login page answers everybody without a token.
        outages: looks at a run that are answered with 503 first.
    """

    states: list[str] = field(default_factory=lambda: ["SUCCEEDED"])
    failing_step: str = "train-ranker"
    refused: dict[str, int] = field(default_factory=dict)
    lost_answers: set[str] = field(default_factory=set)
    login_page: bool = False
    outages: int = 0
    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    pipelines: dict[str, tuple[str, str]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def named(self, operation: str) -> list[Request]:
        return [request for request in self.requests if request.operation.name == operation]

    def answer(self, request: Request) -> Any:
        """The document of the answer.

        Raises:
            Status: the answer is no success.
        """
        name = request.operation.name
        self.requests.append(request)
        if code := self.refused.pop(name, None):
            raise Status(code, "not today")
        answer = getattr(self, f"_{name}", None)
        if answer is None:
            raise Status(501, f"{name} is not in this server")
        document = answer(request)
        if name in self.lost_answers:
            self.lost_answers.discard(name)
            raise Status(409, "already exists")
        return document

    def namespace_of(self, request: Request, given: str | None) -> str:
        """The namespace that a request works in, if whoever asks may use it."""
        if self.people is None:
            if given:
                raise Status(400, "in single-user mode, namespace must be empty")
            return ""
        if not given:
            raise Status(400, "in multi-user mode, namespace must be given")
        if given not in self.people[str(request.token)]:
            raise Status(403, f"User is not authorized to access namespace {given}")
        return given

    def _healthz_service_get_healthz(self, _request: Request) -> Any:
        return published_answer("V2beta1GetHealthzResponse", multi_user=self.people is not None)

    def _pipeline_service_list_pipelines(self, request: Request) -> Any:
        wanted, namespace = filtered(request), self.namespace_of(request, request.query.get("namespace"))
        found = [self._pipeline(each) for each, (name, where) in self.pipelines.items() if (name, where) == (wanted, namespace)]
        return published_answer("V2beta1ListPipelinesResponse", pipelines=found or None, total_size=len(found))

    def _pipeline_service_create_pipeline(self, request: Request) -> Any:
        namespace = self.namespace_of(request, request.body.get("namespace"))
        name = request.body.get("display_name") or request.body.get("name")
        if not name:
            raise Status(400, "pipeline's name is empty")
        if (name, namespace) in self.pipelines.values():
            raise Status(409, f"pipeline {name} already exists")
        identity = f"pipeline-{len(self.pipelines)}"
        self.pipelines[identity] = (name, namespace)
        return self._pipeline(identity)

    def _pipeline(self, identity: str) -> Any:
        name, namespace = self.pipelines[identity]
        return published_answer("V2beta1Pipeline", pipeline_id=identity, display_name=name, name=name, namespace=namespace)

    def _pipeline_service_list_pipeline_versions(self, request: Request) -> Any:
        pipeline = request.path["pipeline_id"]
        self._owned_pipeline(request, pipeline)
        wanted = filtered(request) if "filter" in request.query else None
        found = [self._version(each) for each, (name, of, _) in self.versions.items() if of == pipeline and wanted in {None, name}]
        if request.query.get("sort_by") == "created_at desc":
            found.reverse()
        page, more = page_of(request, found)
        return published_answer("V2beta1ListPipelineVersionsResponse", pipeline_versions=page, next_page_token=more, total_size=len(found))

    def _upload_pipeline_version(self, request: Request) -> Any:
        name, pipeline = request.query.get("name"), request.query.get("pipelineid", "")
        self._owned_pipeline(request, pipeline)
        package = read_package(str(request.file))
        if not name:
            raise Status(400, "a version needs a name")
        if any((name, pipeline) == (known, of) for known, of, _ in self.versions.values()):
            raise Status(409, f"version {name} already exists")
        identity = f"version-{len(self.versions)}"
        self.versions[identity] = (name, pipeline, package)
        return self._version(identity)

    def _owned_pipeline(self, request: Request, pipeline: str) -> None:
        if pipeline not in self.pipelines:
            raise Status(404, f"pipeline {pipeline} not found")
        self.namespace_of(request, self.pipelines[pipeline][1] or None)

    def _version(self, identity: str) -> Any:
        name, pipeline, _ = self.versions[identity]
        return published_answer("V2beta1PipelineVersion", pipeline_id=pipeline, pipeline_version_id=identity, display_name=name, name=name)

    def _experiment_service_list_experiments(self, request: Request) -> Any:
        wanted, namespace = filtered(request), self.namespace_of(request, request.query.get("namespace"))
        found = [self._experiment(each) for each, (name, where) in self.experiments.items() if (name, where) == (wanted, namespace)]
        return published_answer("V2beta1ListExperimentsResponse", experiments=found or None, total_size=len(found))

    def _experiment_service_create_experiment(self, request: Request) -> Any:
        namespace, name = self.namespace_of(request, request.body.get("namespace")), request.body.get("display_name")
        if not name:
            raise Status(400, "experiment's name is empty")
        if (name, namespace) in self.experiments.values():
            raise Status(409, f"experiment {name} already exists")
        identity = f"experiment-{len(self.experiments)}"
        self.experiments[identity] = (name, namespace)
        return self._experiment(identity)

    def _experiment(self, identity: str) -> Any:
        name, namespace = self.experiments[identity]
        return published_answer("V2beta1Experiment", experiment_id=identity, display_name=name, namespace=namespace)

    def _run_service_create_run(self, request: Request) -> Any:
        if not request.body.get("display_name"):
            raise Status(400, "run's name is empty")
        self.check_start(request, request.body)
        return self.started(request.body)

    def started(self, body: dict[str, Any]) -> Any:
        """A run of a body that was checked."""
        identity = f"run-{len(self.runs)}"
        self.runs[identity] = body
        return published_answer("V2beta1Run", run_id=identity, display_name=body["display_name"], state="PENDING")

    def _run_service_get_run(self, request: Request) -> Any:
        if self.outages:
            self.outages -= 1
            raise Status(503, "being upgraded")
        identity = request.path["run_id"]
        if identity not in self.runs:
            raise Status(404, f"run {identity} not found")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        tasks = [published_answer("V2beta1PipelineTaskDetail", display_name=each, state="FAILED") for each in ("root", self.failing_step)]
        details = published_answer("V2beta1RunDetails", task_details=tasks) if state == "FAILED" else None
        return published_answer("V2beta1Run", run_id=identity, state=state, run_details=details)

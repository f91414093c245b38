"""Recurring runs as a Kubeflow Pipelines API keeps them, and what its controller makes of one when the time has come.

Each rule names the observation it rests on: those of `kserve-observed/README.md`, "Other operators", were made with the server's own code.
Kinder than the real one: an expression of cron is counted, not parsed; the concurrency and the clock are not there, a run starts when a
test calls `fire`. Stricter: 8.5 for an integer is refused here and accepted there; five fields of cron are refused here and read there with
the minute as the second.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.pipelines.kfp_server.packages import Package
from tests.pipelines.kfp_server.published_api import published_answer
from tests.pipelines.kfp_server.request import Request, Status, filtered, page_of

NO_TEMPLATE = "Failed to fetch a template with an empty pipeline spec manifest"
"""Observed: a run or a recurring run whose pipeline and version ids are both empty."""
NO_EXPERIMENT = "Experiment id can not be empty in multi-user mode"
"""Observed: a multi-user server, also when its own controller asks."""
PASSED_ON = ("pipeline_version_reference", "experiment_id", "runtime_config")
"""Observed: the controller sends pipelineId, pipelineVersionId, experimentId and the parameters, nothing else (no account, no name)."""
CRON_FIELDS = 6
"""Known from the controller's cron expressions, which begin with the second."""


@dataclass
class RecurringRuns:
    """The part of the server's state that is about recurring runs; the server's own class has the rest.

    Attributes:
        people: namespaces that a token's owner may use, by token; None for a single-user server without a gateway.
        versions: name, pipeline and package, by id.
        experiments: name and namespace, by id.
        recurring: bodies of recurring runs, by id.
        made: how many there ever were; ids are not used again.
    """

    people: dict[str, list[str]] | None = None
    versions: dict[str, tuple[str, str, Package]] = field(default_factory=dict)
    experiments: dict[str, tuple[str, str]] = field(default_factory=dict)
    recurring: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0

    def namespace_of(self, request: Request, given: str | None) -> str:
        """The namespace that a request works in, if whoever asks may use it."""
        raise NotImplementedError

    def started(self, body: dict[str, Any]) -> Any:
        """A run of a body that was checked."""
        raise NotImplementedError

    def check_start(self, request: Request | None, body: dict[str, Any]) -> None:
        """What a run and a recurring run must have; without a request it is the controller who asks, who may use every namespace.

        Raises:
            Status: it does not.
        """
        reference = body.get("pipeline_version_reference") or {}
        if not any(reference.get(each) for each in ("pipeline_id", "pipeline_version_id")):
            raise Status(400, NO_TEMPLATE)
        experiment = body.get("experiment_id")
        if not experiment and self.people is not None:
            raise Status(400, NO_EXPERIMENT)
        known = self.versions.get(reference.get("pipeline_version_id", ""))
        if known is None or known[1] != reference.get("pipeline_id"):
            raise Status(404, f"pipeline version {reference} not found")
        if experiment not in self.experiments:
            raise Status(404, "experiment not found")
        if request is not None:
            self.namespace_of(request, self.experiments[experiment][1] or None)
        # observed: a text for a number, null, or an unknown name is refused
        known[2].check_parameters((body.get("runtime_config") or {}).get("parameters") or {})

    def fire(self, identity: str) -> Any:
        """Start a run as the controller does when a recurring run is due.

        Raises:
            Status: the API refuses it.
        """
        body = {name: value for name, value in self.recurring[identity].items() if name in PASSED_ON}
        self.check_start(None, body)
        return self.started({**body, "display_name": f"scheduled by {identity}"})

    def _recurring_run_service_create_recurring_run(self, request: Request) -> Any:
        body = request.body
        if not body.get("display_name"):
            raise Status(400, "recurring run's name is empty")
        cron = ((body.get("trigger") or {}).get("cron_schedule") or {}).get("cron", "")
        if len(cron.split()) != CRON_FIELDS:
            raise Status(400, f"the schedule {cron!r} is no cron expression with seconds")
        if not 1 <= int(body.get("max_concurrency") or 0) <= 10:  # as the API's own validation has it
            raise Status(400, "the max concurrency must be from 1 to 10")
        self.check_start(request, body)
        identity = f"recurring-{self.made}"
        self.made += 1
        self.recurring[identity] = body
        return self._recurring_run(identity)

    def _recurring_run_service_list_recurring_runs(self, request: Request) -> Any:
        wanted, namespace = filtered(request), self.namespace_of(request, request.query.get("namespace"))
        found = [
            self._recurring_run(identity)
            for identity, each in self.recurring.items()
            if each["display_name"] == wanted and self.experiments[each["experiment_id"]][1] == namespace
        ]
        page, more = page_of(request, found)
        return published_answer("V2beta1ListRecurringRunsResponse", recurring_runs=page, next_page_token=more, total_size=len(found))

    def _recurring_run_service_delete_recurring_run(self, request: Request) -> Any:
        identity = request.path["recurring_run_id"]
        if identity not in self.recurring:
            raise Status(404, f"recurring run {identity} not found")
        self.namespace_of(request, self.experiments[self.recurring[identity]["experiment_id"]][1] or None)
        del self.recurring[identity]
        return {}

    def _recurring_run(self, identity: str) -> Any:
        """The body as it was given, with what the server adds."""
        body = self.recurring[identity]
        status = "ENABLED" if body.get("mode") == "ENABLE" else "DISABLED"
        added = published_answer("V2beta1RecurringRun", recurring_run_id=identity, status=status)
        return {**body, **added, "namespace": self.experiments[body["experiment_id"]][1]}

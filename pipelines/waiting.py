"""Waiting for a run on a Kubeflow Pipelines server to end."""

import time
from collections.abc import Callable
from typing import Any

from endcap.core.polling import poll
from endcap.errors import DependencyUnavailable, EndcapError
from pipelines.server import Server, open_api

POLL_S = 5.0
UNANSWERED_MAX = 12
"""Looks in a row that may go unanswered: a server that is upgraded is back within a minute."""
ENDED = frozenset({"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"})


def wait_for_run(
    server: Server,
    run_id: str,
    timeout_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Block until a run ends.

    Raises:
        EndcapError: it failed, was cancelled or did not end in time.
        DependencyUnavailable: the server stopped answering.
        InvalidInput: the server refused a request.
    """
    unanswered = 0

    def ended_run() -> Any:
        nonlocal unanswered
        try:
            run = _look(server, run_id)
        except DependencyUnavailable:
            unanswered += 1
            if unanswered > UNANSWERED_MAX:
                raise
            return None
        unanswered = 0
        return run if str(run.state) in ENDED else None

    run = poll(ended_run, every_s=POLL_S, within_s=timeout_s, clock=clock, sleep=sleep)
    if run is None:
        raise EndcapError(f"run {run_id} did not end within {timeout_s:g} s", fix="see it in the dashboard")
    if run.state != "SUCCEEDED":
        raise EndcapError(f"run {run_id} ended as {run.state}{_failed_steps(run)}", fix="see its steps in the dashboard")


def _look(server: Server, run_id: str) -> Any:
    import kfp_server_api as api

    with open_api(server) as client:
        return api.RunServiceApi(client).run_service_get_run(run_id)


def _failed_steps(run: Any) -> str:
    tasks = (run.run_details.task_details if run.run_details else None) or []
    failed = sorted({str(task.display_name) for task in tasks if task.state == "FAILED" and task.display_name != "root"})
    return f" at {', '.join(failed)}" if failed else ""

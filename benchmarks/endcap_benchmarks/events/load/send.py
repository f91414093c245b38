"""`python -m endcap_benchmarks.events.load.send PLAN RESULT`: sends events; see `endcap_benchmarks.serving.load.load` for its words."""

import json
import sys
from pathlib import Path

import numpy as np

from endcap_benchmarks.events.load.plan import OK, EventPlan, SentEvents
from endcap_benchmarks.serving.load.http_sender import HttpConnections, post
from endcap_benchmarks.serving.load.loops import Sent, begun, closed_loop, open_loop, run_loop, say

PATH = "/v1/events"
CONNECTIONS = 16


def main() -> int:
    plan_path, result_path = map(Path, sys.argv[1:3])
    sent_events(run_loop(_run(EventPlan.read(plan_path)))).write(result_path)
    return 0


async def _run(plan: EventPlan) -> list[Sent]:
    connections = HttpConnections(plan.port)
    requests = [post(PATH, plan.media_type, body) for body in plan.bodies]
    await connections.open(CONNECTIONS if plan.send_at_s is not None else plan.clients)
    stop = await begun()
    if plan.send_at_s is not None:
        sent = await open_loop(connections, requests, plan.send_at_s, plan.seconds, stop)
    else:
        sent = await closed_loop(connections, requests, plan.clients, plan.seconds)
    say("sent")
    await connections.close()
    return sent


def sent_events(sent: list[Sent]) -> SentEvents:
    """What the answers say."""
    counts = np.array([_counts(each) for each in sent], dtype=np.int64).reshape(-1, 3)
    return SentEvents(
        due_s=np.array([each.due_s for each in sent]),
        sent_s=np.array([each.sent_s for each in sent]),
        done_s=np.array([np.nan if each.done_s is None else each.done_s for each in sent]),
        status=np.array([0 if each.answer is None else each.answer.status for each in sent], dtype=np.int64),
        accepted=counts[:, 0],
        duplicates=counts[:, 1],
        refused=counts[:, 2],
    )


def _counts(each: Sent) -> tuple[int, int, int]:
    if each.answer is None or each.answer.status != OK:
        return 0, 0, 0
    answer = json.loads(each.answer.body)
    return answer["accepted"], answer["duplicates"], len(answer["refused"])


if __name__ == "__main__":
    sys.exit(main())

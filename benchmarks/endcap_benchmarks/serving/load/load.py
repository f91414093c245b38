"""`python -m endcap_benchmarks.serving.load.load PLAN RESULT`: the load process.

It prints `ready`, waits for a line on standard input, sends, prints `sent` at the end of the stretch, and only then reads what the answers
say and writes it: between the two lines it does as little as it can, since it shares the machine with what it measures.

A further line on standard input ends an open loop early.
"""

import sys
from pathlib import Path
from typing import Any, Protocol

from endcap_benchmarks.serving.load.http_sender import HttpSender, RawAnswer
from endcap_benchmarks.serving.load.http_sender import raw_lists as http_lists
from endcap_benchmarks.serving.load.loops import Sender, Sent, begun, closed_loop, open_loop, run_loop, say
from endcap_benchmarks.serving.load.plan import Exchange, LoadPlan, write_exchanges

CONNECTIONS = 16
OK = 200


class PreparingSender(Sender, Protocol):
    """One protocol of predict."""

    def prepared(self, instance: dict[str, Any]) -> bytes: ...

    async def open(self, connections: int) -> None: ...

    async def close(self) -> None: ...


def main() -> int:
    plan_path, result_path = map(Path, sys.argv[1:3])
    plan = LoadPlan.read(plan_path)
    sent = run_loop(_run(plan))
    write_exchanges(result_path, [_exchange(plan, each) for each in sent])
    return 0


async def _run(plan: LoadPlan) -> list[Sent]:
    sender = _sender(plan)
    requests = [sender.prepared(instance) for instance in plan.instances]
    await sender.open(CONNECTIONS if plan.send_at_s is not None else plan.clients)
    stop = await begun()
    if plan.send_at_s is not None:
        sent = await open_loop(sender, requests, plan.send_at_s, plan.seconds, stop)
    else:
        sent = await closed_loop(sender, requests, plan.clients, plan.seconds)
    say("sent")
    await sender.close()
    return sent


def _sender(plan: LoadPlan) -> PreparingSender:
    if plan.protocol == "http":
        return HttpSender(plan.port, plan.model)
    from endcap_benchmarks.serving.load.grpc_sender import GrpcSender

    return GrpcSender(plan.port, plan.model)


def _exchange(plan: LoadPlan, each: Sent) -> Exchange:
    kind = plan.kinds[each.number]
    if each.answer is None or each.done_s is None:
        return Exchange(kind, each.due_s, each.sent_s, None, 0)
    status = each.answer.status
    if status != OK or not plan.timings:
        waits = b"retry-after" in each.answer.header.lower()
        return Exchange(kind, each.due_s, each.sent_s, each.done_s, status, retry_after=waits)
    answer = _lists(plan, each.answer)[0]
    return Exchange(
        kind,
        each.due_s,
        each.sent_s,
        each.done_s,
        status,
        timings_ms=answer["timings_ms"],
        degraded=answer["degraded"],
        items=len(answer["recommendations"]),
    )


def _lists(plan: LoadPlan, answer: RawAnswer) -> Any:
    if plan.protocol == "http":
        return http_lists(answer)
    from endcap_benchmarks.serving.load.grpc_sender import raw_lists

    return raw_lists(answer)


if __name__ == "__main__":
    sys.exit(main())

from typing import Any

from endcap.contracts.answer import Answer
from endcap.demo.tables import measure_latency


def answer_taking(rank_ms: float) -> Answer:
    timings = {"rank": rank_ms, "total": rank_ms + 1}
    return Answer(recommendations=[], request_id="r", bundle="b", variant="v", degraded=[], ignored=[], timings_ms=timings)


def test_a_row_a_stage_and_the_client_s_view_last() -> None:
    times = iter([*[9.0] * 2, *range(1, 101)])
    asked: list[dict[str, Any]] = []

    def ask(instance: dict[str, Any]) -> Answer:
        asked.append(instance)
        return answer_taking(float(next(times)))

    rows = measure_latency(ask, [{"k": 1}] * 100, warm_up=2)
    assert [row["stage"] for row in rows] == ["rank", "whole request, seen by the client"]
    assert (rows[0]["p50 ms"], rows[0]["p99 ms"]) == (50.5, 99.01)
    assert len(asked) == 102

from pathlib import Path

import numpy as np

from endcap_benchmarks.events.load.plan import EventPlan, SentEvents
from endcap_benchmarks.events.load.send import sent_events
from endcap_benchmarks.events.load.visits import Probe, Visit, VisitPlan, Watched, read_watched, write_watched
from endcap_benchmarks.serving.load.http_sender import RawAnswer
from endcap_benchmarks.serving.load.loops import Sent


def sent(number: int, status: int, body: bytes, took_s: float | None = 0.01) -> Sent:
    each = Sent(number, number / 10, number / 10 + 0.001)
    if took_s is not None:
        each.done_s = each.due_s + took_s
        each.answer = RawAnswer(status, b"", body)
    return each


def test_plans_come_back_as_they_were_written(tmp_path: Path) -> None:
    plan = EventPlan(8090, [b'{"a": 1}\n{"a": 2}', b'{"a": "\xc3\xa4"}'], "application/x-ndjson", [0.0, 0.5])
    plan.write(tmp_path / "plan.json")
    assert EventPlan.read(tmp_path / "plan.json") == plan
    visits = VisitPlan(1, 2, "endcap", {"surface": "search"}, [Visit(0.0, "v-1", ["I1", "I2"])], 0.25, 10, 1.5)
    visits.write(tmp_path / "visits.json")
    assert VisitPlan.read(tmp_path / "visits.json") == visits


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    watched = [Watched(True, [Probe(True, 3.0, None, 4, 1)], None), Watched(False, [], None)]
    write_watched(tmp_path / "watched.json", watched)
    assert read_watched(tmp_path / "watched.json") == watched


def test_answers_are_counted_and_time_is_from_when_each_was_due(tmp_path: Path) -> None:
    answer = b'{"accepted": 3, "duplicates": 1, "refused": [{"index": 0}]}'
    written = sent_events([sent(0, 200, answer), sent(1, 503, b'{"error": "full"}'), sent(2, 0, b"", None)])
    written.write(tmp_path / "result.json")
    read = SentEvents.read(tmp_path / "result.json")
    assert read.accepted.tolist() == [3, 0, 0]
    assert (read.duplicates.sum(), read.refused.sum()) == (1, 1)
    assert read.status.tolist() == [200, 503, 0]
    assert read.is_ok.tolist() == [True, False, False]
    np.testing.assert_allclose(read.took_ms, [10, 10, np.nan])


def test_nothing_sent_is_nothing_counted() -> None:
    assert sent_events([]).accepted.tolist() == []

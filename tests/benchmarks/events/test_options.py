from pathlib import Path

import pytest

from endcap_benchmarks.events.benchmark import _of_collector, _of_parts
from endcap_benchmarks.events.options import RESULT, SCENARIOS, parse


def test_the_whole_benchmark_writes_the_record_and_a_part_of_it_does_not() -> None:
    assert parse([]).out == RESULT
    assert parse(["--quick"]).out is None
    assert parse(["--scenarios", "cpu"]).out is None
    assert parse(["--scenarios", "cpu", "--out", "x.json"]).out == Path("x.json")


def test_the_whole_benchmark_asks_for_what_the_goals_are_about() -> None:
    options = parse([])
    assert (options.probes, options.event_rate, options.predict_rate) == (2_000, 200, 20)
    assert options.sessions == (10_000, 100_000, 1_000_000)
    assert set(options.scenarios) == set(SCENARIOS)


def test_quick_is_a_starting_point_for_other_options() -> None:
    options = parse(["--quick", "--probes", "8", "--sessions", "300", "100"])
    assert (options.probes, options.sessions, options.turns) == (8, (100, 300), 2)


def test_scenarios_can_be_chosen() -> None:
    assert list(_of_collector(parse(["--scenarios", "hostile"]))) == ["zipped zeros"]
    assert list(_of_parts(parse(["--scenarios", "hostile"]))) == []
    assert list(_of_parts(parse([]))) == ["cpu", "changed-answer", "beside"]
    assert len(_of_collector(parse([]))) == 4
    with pytest.raises(SystemExit):
        parse(["--scenarios", "nothing"])

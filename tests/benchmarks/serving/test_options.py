from pathlib import Path

import pytest

from endcap.core.settings import Settings
from endcap_benchmarks.serving.benchmark import measures
from endcap_benchmarks.serving.options import RESULT, SCENARIOS, parse


def names(arguments: list[str], *, largest: bool) -> list[str]:
    return [measure.name for measure in measures(Settings(), parse(arguments), largest=largest)]


def test_the_whole_benchmark_writes_the_record_and_a_part_of_it_does_not() -> None:
    assert parse([]).out == RESULT
    assert parse(["--quick"]).out is None
    assert parse(["--quick", "--out", "x.json"]).out == Path("x.json")
    assert parse(["--promoted"]).out is None


def test_quick_is_a_starting_point_for_other_options() -> None:
    options = parse(["--quick", "--items", "500", "--rate", "5"])
    assert (options.items, options.rate, options.seconds) == ((500,), 5.0, 10.0)


def test_the_steady_load_is_on_every_size_and_the_rest_on_the_largest() -> None:
    assert names([], largest=False) == ["steady load, http", "steady load, grpc", "one client"]
    assert {"item table refresh", "overload", "the next event"} <= set(names([], largest=True))
    assert len(names([], largest=True)) == 3 + 1 + 2 + 1 + 1 + 1


def test_a_promoted_bundle_is_measured_without_what_would_change_it() -> None:
    assert names(["--promoted"], largest=True) == ["steady load, http", "steady load, grpc", "one client"]


def test_scenarios_and_protocols_can_be_chosen() -> None:
    assert names(["--scenarios", "overload"], largest=True) == ["overload"]
    assert names(["--scenarios", "steady", "--protocols", "grpc"], largest=True) == ["steady load, grpc", "one client"]
    with pytest.raises(SystemExit):
        parse(["--scenarios", "nothing"])
    assert set(SCENARIOS) == {"steady", "refresh", "cached", "overload", "next-event", "bulk"}

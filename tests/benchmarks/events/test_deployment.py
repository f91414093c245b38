from types import SimpleNamespace
from typing import Any

import psutil

from endcap_benchmarks.events.deployment import cpu_reading

TIMES = SimpleNamespace(user=1.0, system=0.5, children_user=0.25, children_system=0.25)


class Process:
    def __init__(self, *children: "Process", is_gone: bool = False) -> None:
        self._children, self._is_gone = children, is_gone

    def children(self, recursive: bool) -> Any:
        assert recursive
        return self._children

    def cpu_times(self) -> Any:
        if self._is_gone:
            raise psutil.NoSuchProcess(1)
        return TIMES


def test_a_child_that_ends_while_it_is_looked_at_ends_no_measurement() -> None:
    reading = cpu_reading({"stream": Process(Process(), Process(is_gone=True))})  # type: ignore[dict-item]
    assert reading.cpu_s == {"stream": 4.0}

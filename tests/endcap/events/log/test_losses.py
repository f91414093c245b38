"""Losses are counted whatever else fails."""

import pytest

from endcap.events.log import losses
from endcap.events.log.losses import Losses


@pytest.mark.parametrize("failure", [OSError("the disk is full"), ValueError("I/O operation on closed file")])
def test_a_line_that_cannot_be_written_costs_no_request_and_no_count(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def warning(self, *_: object, **__: object) -> None:
            raise failure

    counted: list[int] = []
    monkeypatch.setattr(losses, "_log", Full())
    lost = Losses(60.0, counted.append)
    lost.add(4, "the queue is full")
    assert (lost.events, counted) == (4, [4])

"""A file is looked at for ever, whatever a look raises."""

import asyncio
from pathlib import Path

import pytest
from polars.exceptions import PanicException
from structlog.testing import capture_logs

from endcap_transformer.live.file_watch import BackOff, identity, watch_file


def replaced(path: Path, content: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(content)
    aside.rename(path)


def test_a_file_that_was_replaced_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "live"
    assert identity(path) is None
    replaced(path, "one")
    first = identity(path)
    assert first is not None and identity(path) == first
    replaced(path, "two")
    assert identity(path) != first


@pytest.mark.parametrize("failure", [RuntimeError("anything"), OSError("anything"), PanicException("anything")])
async def test_looking_goes_on_after_any_failure_and_says_what_it_was(tmp_path: Path, failure: BaseException) -> None:
    looks: list[int] = []

    async def look() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise failure
        raise asyncio.CancelledError

    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await watch_file(tmp_path / "live", look, look_s=0)
    assert len(looks) == 2
    assert [(line["kind"], line["cause"]) for line in lines] == [(type(failure).__name__, "anything")]


async def test_a_failure_is_tried_again_later_and_a_new_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, turns, looked_in = tmp_path / "live", 0, []

    async def next_turn(_seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 5:
            replaced(path, "mended")

    async def look() -> None:
        looked_in.append(turns)
        if turns >= 5:
            raise asyncio.CancelledError
        raise RuntimeError("anything")

    replaced(path, "broken")
    monkeypatch.setattr("endcap_transformer.live.file_watch.asyncio.sleep", next_turn)
    with pytest.raises(asyncio.CancelledError):
        await watch_file(path, look)
    assert looked_in == [0, 2, 5], "the next try of the broken file would have been in turn 6"


def turns_until_due(back_off: BackOff, tried: str) -> int:
    """How many turns pass before the next try."""
    return next(turn for turn in range(1_000) if back_off.is_due(tried))


def test_more_turns_pass_after_each_failure_but_never_more_than_the_most() -> None:
    back_off = BackOff(most=5)
    assert turns_until_due(back_off, "a") == 0
    passed = []
    for number in range(1, 5):
        assert back_off.failed("a") == number
        passed.append(turns_until_due(back_off, "a"))
    assert passed == [1, 3, 5, 5]


def test_another_thing_is_due_at_once_and_counts_from_one() -> None:
    back_off = BackOff(most=5)
    back_off.failed("a")
    back_off.failed("a")
    assert back_off.is_due("b")
    assert back_off.failed("b") == 1


def test_after_a_success_nothing_is_held_against_it() -> None:
    back_off = BackOff(most=5)
    back_off.failed("a")
    back_off.succeeded()
    assert back_off.is_due("a")
    assert back_off.failed("a") == 1


def test_a_file_that_cannot_be_looked_at_is_another_one_than_none(tmp_path: Path) -> None:
    assert identity(tmp_path / "file" / "none") is None
    (tmp_path / "file").write_text("")
    assert identity(tmp_path / "file" / "below a file") is None
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    found = identity(loop)
    assert found is not None and found == identity(loop)
    loop.unlink()
    replaced(loop, "mended")
    assert identity(loop) not in (found, None)

"""A file is looked at for ever, whatever a look raises."""

import asyncio
from pathlib import Path

import pytest
from polars.exceptions import PanicException
from structlog.testing import capture_logs

from endcap_transformer.live.file_watch import identity, keep_looking


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
        await keep_looking(tmp_path / "live", look, look_s=0)
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
        await keep_looking(path, look)
    assert looked_in == [0, 2, 5], "the next try of the broken file would have been in turn 6"


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

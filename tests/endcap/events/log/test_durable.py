import asyncio
import errno
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.events.log.durable import DurableLog
from endcap.events.log.writer import OPEN_SUFFIX, Rotation, SyncedFile

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def only_file(folder: Path) -> str:
    (file,) = folder.iterdir()
    return file.name


def file_count(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_what_was_written_is_in_the_file_before_the_log_is_closed(tmp_path: Path) -> None:
    log = DurableLog(tmp_path / "events")
    await log.write(b"one\n")
    assert content(tmp_path / "events") == b"one\n"
    await log.close()
    assert not list((tmp_path / "events").glob(f"*{OPEN_SUFFIX}"))


async def test_all_who_wait_share_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = os.fsync
    first = threading.Event()

    def counted(descriptor: int) -> None:
        first.wait(10)
        synced.append(descriptor)
        sync(descriptor)

    log = DurableLog(tmp_path)
    await log.write(b"opens the file\n")
    monkeypatch.setattr("endcap.events.log.writer.os.fsync", counted)
    writes = [asyncio.create_task(log.write(b"%d\n" % number)) for number in range(100)]
    await asyncio.sleep(0)
    first.set()
    await asyncio.gather(*writes)
    assert len(synced) <= 2
    assert content(tmp_path).count(b"\n") == 101
    await log.close()


async def test_a_write_is_over_after_those_that_began_before(tmp_path: Path) -> None:
    log = DurableLog(tmp_path)
    ended: list[int] = []

    async def write(number: int) -> None:
        await log.write(b"%d\n" % number if number % 2 else b"")
        ended.append(number)

    await asyncio.gather(*(write(number) for number in range(20)))
    assert ended == list(range(20))
    await log.close()


@pytest.mark.parametrize("refusing", ["write", "fsync"])
async def test_a_disk_that_refuses_fails_all_who_wait_and_keeps_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing: str
) -> None:
    log = DurableLog(tmp_path)
    await log.write(b"kept\n")

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(f"endcap.events.log.writer.os.{refusing}", refuse)
        outcomes = await asyncio.gather(log.write(b"lost\n"), log.write(b"lost too\n"), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [DependencyUnavailable] * 2
        assert log.is_refused
    await log.write(b"after\n")
    assert not log.is_refused
    assert sorted(content(tmp_path).splitlines()) == [b"after", b"kept"]
    await log.close()


async def test_a_disk_that_stays_full_leaves_no_empty_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = DurableLog(tmp_path)

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("endcap.events.log.writer.os.write", refuse)
    for _ in range(3):
        with pytest.raises(DependencyUnavailable, match="No space"):
            await log.write(b"lost\n")
    assert not content(tmp_path)
    assert not file_count(tmp_path)
    await log.close()


async def test_a_writer_that_is_cancelled_disturbs_no_other(tmp_path: Path) -> None:
    log = DurableLog(tmp_path, rotation=Rotation(file_bytes=4))
    gone, kept = asyncio.create_task(log.write(b"gone\n")), asyncio.create_task(log.write(b"kept\n"))
    await asyncio.sleep(0)
    gone.cancel()
    await kept
    await log.write(b"next\n")
    assert content(tmp_path).endswith(b"kept\nnext\n")
    await log.close()


async def test_groups_are_measured(tmp_path: Path) -> None:
    seconds: list[float] = []
    log = DurableLog(tmp_path, clock=lambda: NOW, observe=seconds.append)
    await log.write(b"one\n")
    assert len(seconds) == 1
    await log.close()


async def test_a_disk_that_refused_is_tried_until_it_takes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = DurableLog(tmp_path)

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("endcap.events.log.writer.os.write", refuse)
        full.setattr("endcap.events.log.durable.os.fsync", refuse)
        with pytest.raises(DependencyUnavailable):
            await log.write(b"lost\n")
        assert not await log.is_taken()
    assert await log.is_taken()
    assert not file_count(tmp_path)
    await log.close()


async def test_it_says_which_file_it_writes_and_how_much_of_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = DurableLog(tmp_path)
    assert log.synced() is None
    during: list[SyncedFile | None] = []
    sync = os.fsync

    def looked_at(descriptor: int) -> None:
        during.append(log.synced())
        sync(descriptor)

    monkeypatch.setattr("endcap.events.log.writer.os.fsync", looked_at)
    await log.write(b"one\n")
    name = only_file(tmp_path).removesuffix(OPEN_SUFFIX)
    assert log.synced() == SyncedFile(name, 4)
    await log.write(b"two\n")
    assert log.synced() == SyncedFile(name, 8)
    assert {each.bytes for each in during if each is not None} == {0, 4}, "what is not on the disk does not count"
    await log.close()
    assert log.synced() is None


async def test_a_file_that_the_disk_refused_is_written_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = DurableLog(tmp_path)
    await log.write(b"one\n")

    def refused(_: int) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr("endcap.events.log.writer.os.fsync", refused)
        with pytest.raises(DependencyUnavailable):
            await log.write(b"two\n")
    assert log.synced() is None
    await log.write(b"three\n")
    assert log.synced() is not None
    assert content(tmp_path) == b"one\nthree\n"
    await log.close()

"""Bodies of every length, pace and packing: whole, or refused with what may be sent."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.http.body import DRAINED_BYTES, BrokenBody, LongBody, read_body, unpacked
from endcap.core.http.refusals import RequestRefused
from tests.properties import examples

MOST = 1_000
CHUNK = 64 * 1024


class Sender:
    """Chunks, counted as they are taken; after the last one nothing comes, or the body ends."""

    def __init__(self, *chunks: bytes, ends: bool = True) -> None:
        self._chunks, self._ends = chunks, ends
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            self.taken += len(chunk)
            yield chunk
        if not self._ends:
            await asyncio.Event().wait()


@given(chunks=st.lists(st.binary(max_size=400), max_size=6))
@examples(60)
def test_a_body_is_what_was_sent_or_over_the_limit(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    try:
        assert asyncio.run(read_body(Sender(*chunks), {}, MOST, 10)) == whole
        assert len(whole) <= MOST
    except LongBody as error:
        assert len(whole) > MOST
        assert whole.startswith(error.beginning)


async def test_a_long_body_is_read_to_its_end_before_it_is_refused() -> None:
    for headers in ({}, {"content-length": str(20 * CHUNK)}):
        sender = Sender(*[b"x" * CHUNK] * 20)
        with pytest.raises(LongBody) as caught:
            await read_body(sender, headers, MOST, 10)
        assert sender.taken == 20 * CHUNK
        assert len(caught.value.beginning) <= CHUNK
        assert caught.value.headers == {"connection": "close"}


async def test_of_a_body_without_end_only_so_much_is_read() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            nonlocal taken
            taken += CHUNK
            yield b"x" * CHUNK

    taken = 0
    with pytest.raises(LongBody):
        await read_body(endless(), {}, MOST, 600)
    assert DRAINED_BYTES < taken <= DRAINED_BYTES + MOST + 2 * CHUNK


async def test_a_sender_that_waits_to_be_told_to_go_on_is_refused_at_once() -> None:
    sender = Sender(b"x" * 10)
    with pytest.raises(LongBody):
        await read_body(sender, {"content-length": str(MOST + 1), "expect": "100-Continue"}, MOST, 10)
    assert sender.taken == 0


@pytest.mark.parametrize(("chunks", "status"), [((), 408), ((b"x",), 408), ((b"x" * (MOST + 1),), 413)])
async def test_a_body_that_never_ends_is_given_up(chunks: tuple[bytes, ...], status: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        await read_body(Sender(*chunks, ends=False), {}, MOST, 0.01)
    assert caught.value.status == status
    assert caught.value.is_last


@pytest.mark.parametrize("length", ["", "-5", "x", "9" * 100, "5"])
async def test_what_a_request_says_of_its_length_is_not_relied_on(length: str) -> None:
    assert await read_body(Sender(b"abc"), {"content-length": length}, MOST, 10) == b"abc"


@given(body=st.binary(max_size=MOST), level=st.integers(0, 9), name=st.sampled_from(["gzip", "x-gzip", " GZIP "]))
@examples(40)
def test_a_packed_body_is_unpacked(body: bytes, level: int, name: str) -> None:
    assert unpacked(gzip.compress(body, level), name, MOST) == body


@pytest.mark.parametrize("size", [MOST + 1, 100 * MOST, 50_000_000])
def test_a_bomb_is_refused_at_the_limit(size: int) -> None:
    bomb = gzip.compress(bytes(size), 9)
    with pytest.raises(LongBody) as caught:
        unpacked(bomb, "gzip", MOST)
    assert caught.value.status == 413
    assert len(caught.value.beginning) == MOST + 1


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip,", "é", "x" * 5_000])
def test_another_encoding_is_refused_with_the_one_that_is_taken(encoding: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        unpacked(b"anything", encoding, MOST)
    assert (caught.value.status, caught.value.headers) == (415, {"accept-encoding": "gzip"})


@pytest.mark.parametrize(
    "body", [b"", b"{}", zlib.compress(b"{}"), gzip.compress(b"{}", mtime=0)[:-3], gzip.compress(b"{}", mtime=0) + b"more", b"\x1f\x8b\x08"]
)
def test_what_is_no_gzip_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenBody):
        unpacked(body, "gzip", MOST)

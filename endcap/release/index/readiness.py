"""Waiting until a collection is what it will stay: every row indexed, and every segment loaded with its index."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap.release.index.search_messages import EMBEDDING_FIELD

BUILD_TIMEOUT_S = 3_600.0
INDEXED_FROM_ROWS = 1_024
"""Milvus compares the query with each row of a smaller segment."""
_POLL_S = 0.2
_SEALED = 3
_FLUSHED = 4


@dataclass(frozen=True)
class LoadedSegment:
    """A segment as searches meet it."""

    rows: int
    is_indexed: bool

    @property
    def is_ready(self) -> bool:
        return self.is_indexed or self.rows < INDEXED_FROM_ROWS


def wait_until_indexed(
    client: Any, name: str, rows: int, report: Callable[[int], None] = lambda _: None, timeout_s: float = BUILD_TIMEOUT_S
) -> None:
    """Return when the index covers all rows; `report` is called with how many it does.

    Raises:
        DependencyUnavailable: it takes too long, or Milvus failed to build it.
    """

    def is_complete() -> bool:
        index = client.describe_index(name, EMBEDDING_FIELD)
        if index.get("state") == "Failed":
            raise DependencyUnavailable(f"Milvus could not build the index: {index.get('index_state_fail_reason')}", field=name)
        report(int(index["indexed_rows"]))
        return int(index["indexed_rows"]) >= rows and not int(index.get("pending_index_rows", 0))

    _wait(is_complete, name, "is not indexed", timeout_s)


def wait_until_served(service: Any, name: str, rows: int, timeout_s: float = BUILD_TIMEOUT_S) -> list[LoadedSegment]:
    """Return when every row is in a loaded segment with its index, and those segments.

    Raises:
        DependencyUnavailable: it takes too long.
    """
    segments: list[LoadedSegment] = []

    def is_served() -> bool:
        segments[:] = loaded_segments(service, name)
        return sum(segment.rows for segment in segments) >= rows and all(segment.is_ready for segment in segments)

    _wait(is_served, name, "is not loaded with its index", timeout_s)
    return segments


def loaded_segments(service: Any, name: str) -> list[LoadedSegment]:
    """The segments of a loaded collection that searches look into."""
    from pymilvus.grpc_gen import milvus_pb2

    answer = service.GetQuerySegmentInfo(milvus_pb2.GetQuerySegmentInfoRequest(collectionName=name))
    return [LoadedSegment(int(each.num_rows), bool(each.index_name) and each.state in (_SEALED, _FLUSHED)) for each in answer.infos]


def _wait(is_done: Callable[[], bool], name: str, what: str, timeout_s: float) -> None:
    if not poll(is_done, every_s=_POLL_S, within_s=timeout_s):
        raise DependencyUnavailable(f"the collection {what} after {timeout_s:g} s", field="collection", value=name)

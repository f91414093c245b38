"""A batch comes at each trigger, and whether it has records is told without a job."""

import json
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from endcap_stream.spark.kafka_source import has_records, with_ticks

BATCH_SECONDS = 120


@pytest.mark.processes
def test_batches_come_without_records_and_are_told_from_those_that_have_some(session: Any, tmp_path: Path) -> None:
    source, batches = tmp_path / "source", Queue[tuple[bool, list[str | None]]]()
    source.mkdir()
    values = session.readStream.schema("value string").json(str(source))

    def take(batch: Any, _number: int) -> None:
        batches.put((has_records(batch), [row.value for row in batch.collect()]))

    writer = with_ticks(session, values).writeStream.foreachBatch(take).option("checkpointLocation", str(tmp_path / "checkpoint"))
    query = writer.trigger(processingTime="100 milliseconds").start()
    nothing = (False, [None])
    try:
        assert [batches.get(timeout=BATCH_SECONDS) for _ in range(5)] == [nothing] * 5
        (tmp_path / "aside").write_text(json.dumps({"value": "a"}))
        (tmp_path / "aside").rename(source / "a.json")
        while (found := batches.get(timeout=BATCH_SECONDS)) == nothing:
            pass
        assert found == (True, ["a", None])
        assert batches.get(timeout=BATCH_SECONDS) == nothing
    finally:
        query.stop()

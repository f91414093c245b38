"""What is known of a batch once it is done: kept beside the state, so that a batch that comes again is not done again."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from endcap.core.errors import InvalidInput
from endcap.events.stream.columns import BEGINNING
from endcap_stream.spark.stages.work import Memory
from endcap_stream.spark.storage.bucket_state import BucketFiles
from endcap_stream.spark.storage.state_folder import StateFolder

_FOLDER = "batches"
_AGAIN = "remove the state and the query's checkpoint together, and start it again: the topics are read from their beginning"


class KeptFiles(BaseModel):
    """Where one bucket's memory lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...]
    due_us: int | None


class BatchRecord(BaseModel):
    """One batch. Its files are in the state folder, and its rows in `rows_name` if it has any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: str = Field(description="Spark's id of the query, the same after every start from its checkpoint.")
    number: int = Field(ge=0, description="Spark's number of the batch.")
    now: datetime = Field(description="When it began, UTC.")
    present: datetime = Field(description="Where the stream stands after it, UTC.")
    watermark: datetime = Field(description="No event from before this counts any more, UTC.")
    is_behind: bool = Field(description="Whether more waited in Kafka.")
    received_at: datetime | None = Field(description="When the newest of its events was received, UTC.")
    newest_probe: datetime | None = Field(None, description="When the newest of its probes was made, UTC.")
    counts: dict[str, int] = Field(description="Events by what became of them.")
    failed: dict[str, int] = Field(description="Events that a function failed on.")
    waiting: dict[str, int] = Field(description="Rows by function.")
    files: dict[Memory, tuple[KeptFiles, ...]] = Field(description="What each bucket remembers.")

    @property
    def rows_name(self) -> str:
        """The file of its rows, in the state folder."""
        return rows_name(self.number)

    def kept(self, memory: Memory) -> tuple[BucketFiles, ...]:
        """What each bucket remembers."""
        return tuple(BucketFiles(each.names, each.due_us) for each in self.files[memory])

    def file_names(self) -> set[str]:
        """Of all files of the state."""
        return {name for buckets in self.files.values() for each in buckets for name in each.names}


def rows_name(number: int) -> str:
    """The file of a batch's rows."""
    return f"rows/{number:012d}"


def before_the_first(query: str, buckets: int) -> BatchRecord:
    """What is known before any batch."""
    nothing = tuple(KeptFiles(names=(), due_us=None) for _ in range(buckets))
    return BatchRecord(
        **{"query": query, "number": 0, "now": BEGINNING, "present": BEGINNING, "watermark": BEGINNING, "is_behind": False},
        **{"received_at": None, "counts": {}, "failed": {}, "waiting": {}, "files": dict.fromkeys(Memory, nothing)},
    )


class BatchRecords:
    """The records of a query's newest batches.

    Args:
        folder: of the state.
        query: whose they are.
        buckets: into which keys are spread.
    """

    def __init__(self, folder: StateFolder, query: str, buckets: int) -> None:
        self._folder, self._query, self._buckets = folder, query, buckets

    def numbers(self) -> list[int]:
        """Of the batches that are known, the oldest first."""
        return sorted(int(name.rpartition("/")[2].partition(".")[0]) for name in self._folder.names(_FOLDER) if name.endswith(".json"))

    def read(self, number: int) -> BatchRecord | None:
        """One batch; None where it is not done.

        Raises:
            InvalidInput: it is another query's, or keys were spread over another number of buckets.
        """
        content = self._folder.read(_name(number))
        if content is None:
            return None
        record = BatchRecord.model_validate_json(content)
        if record.query != self._query:
            raise InvalidInput(f"batch {number} is another query's", field=self._folder.address, value=record.query, fix=_AGAIN)
        spread = len(record.files[Memory.FUNCTIONS])
        if spread != self._buckets:
            raise InvalidInput(f"keys are spread over {spread} buckets there", field="--buckets", value=self._buckets, fix=f"give {spread}")
        return record

    def before(self, number: int) -> BatchRecord:
        """The batch before.

        Raises:
            InvalidInput: the state does not fit the checkpoint.
        """
        known = self.numbers()
        if known and known[-1] > number:
            raise InvalidInput(f"the state is at batch {known[-1]}, the checkpoint at {number}", field=self._folder.address, fix=_AGAIN)
        found = self.read(number - 1) if number else before_the_first(self._query, self._buckets)
        if found is None:
            raise InvalidInput(f"the state lacks batch {number - 1}", field=self._folder.address, fix=_AGAIN)
        return found

    def write(self, record: BatchRecord) -> None:
        """The batch is done."""
        self._folder.write(_name(record.number), record.model_dump_json().encode())

    def remove(self, number: int) -> None:
        """A batch that is needed no more; its rows were delivered."""
        self._folder.remove(rows_name(number))
        self._folder.remove(_name(number))


def _name(number: int) -> str:
    return f"{_FOLDER}/{number:012d}.json"

"""Reading the event log back."""

from datetime import UTC, datetime
from os import SEEK_END
from pathlib import Path

import polars as pl

from endcap.contracts.event import Event
from endcap.contracts.probe import PROBE
from endcap.contracts.tables import added_defaults, arrow_schema
from endcap.core.line_moments import as_written, read_moments
from endcap.events.log.writer import FILE_SUFFIX, NAME_TIME, OPEN_SUFFIX


def event_schema() -> pl.Schema:
    """Columns of the contract `Event`."""
    return pl.DataFrame(arrow_schema(Event).empty_table()).schema


def read_events(folder: Path) -> pl.LazyFrame:
    """All whole events under `folder`, as `read_log` gives them, without probes, which nobody did."""
    return read_log(folder).filter(pl.col("event_type").ne_missing(PROBE))


def read_log(folder: Path) -> pl.LazyFrame:
    """All whole lines under `folder`, in the order of files and lines, with the columns of the contract.

    A line that is not ended yet, or never was, is left out: it is still being written, or the writer ended there. No folder is no events.
    Events may stand twice (an event that was sent again); `event_id` tells. Lines from before a field was in the contract have its default.

    Args:
        folder: where `EventLog` writes.
    """
    names = {file.name.removesuffix(OPEN_SUFFIX).removesuffix(FILE_SUFFIX) for file in folder.glob(f"*{FILE_SUFFIX}*")}
    sources = [_source(folder, name) for name in sorted(names)]
    frames = [_scanned(source) for source in sources if source is not None]
    return pl.concat(frames) if frames else pl.LazyFrame(schema=event_schema())


def _source(folder: Path, name: str) -> Path | bytes | None:
    """The finished file, or what is whole of one that is not; None when that is nothing."""
    finished = folder / (name + FILE_SUFFIX)
    try:
        content = (folder / (name + OPEN_SUFFIX)).read_bytes()
    except FileNotFoundError:
        if _is_ended(finished):
            return finished
        content = finished.read_bytes()
    return content[: content.rfind(b"\n") + 1] or None


def _is_ended(file: Path) -> bool:
    """Whether the last line is whole; a copy that broke off is not."""
    with file.open("rb") as content:
        if not content.seek(0, SEEK_END):
            return False
        content.seek(-1, SEEK_END)
        return content.read(1) == b"\n"


def _scanned(source: Path | bytes) -> pl.LazyFrame:
    schema = event_schema()
    lines = pl.scan_ndjson(source, schema=as_written(schema))
    return lines.with_columns(
        read_moments(schema),
        *(pl.col(name).fill_null(default) for name, default in added_defaults("events").items()),
    )


def remove_files_before(folder: Path, moment: datetime, suffixes: tuple[str, ...] = (FILE_SUFFIX,)) -> int:
    """Remove files that were begun before `moment` and tell how many; files of other names stay.

    Args:
        folder: of an event log; none is fine.
        moment: UTC.
        suffixes: of the files, as of those that are finished.
    """
    removed = 0
    for file in folder.glob("*"):
        if not file.name.endswith(suffixes):
            continue
        began = begun(file.name)
        if began is not None and began < moment:
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def log_began(folder: Path) -> datetime | None:
    """When the first of the files under a folder was begun, UTC; None where there is none."""
    moments = (begun(file.name) for file in folder.glob(f"*{FILE_SUFFIX}*"))
    return min((moment for moment in moments if moment is not None), default=None)


def begun(name: str) -> datetime | None:
    """When a file of the log was begun, by its name, UTC; None for one of another name."""
    try:
        return datetime.strptime(name.partition("-")[0], NAME_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None

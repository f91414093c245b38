"""Files of an event log that nobody needs any more."""

from datetime import UTC, datetime
from pathlib import Path

from endcap.events.log.writer import FILE_SUFFIX, NAME_TIME


def remove_files_before(folder: Path, moment: datetime) -> int:
    """Remove finished files that were begun before `moment` and tell how many; files of other names stay.

    Args:
        folder: of an event log; none is fine.
        moment: UTC.
    """
    removed = 0
    for file in folder.glob(f"*{FILE_SUFFIX}"):
        try:
            begun = datetime.strptime(file.name.partition("-")[0], NAME_TIME).replace(tzinfo=UTC)
        except ValueError:
            continue
        if begun < moment:
            file.unlink(missing_ok=True)
            removed += 1
    return removed

"""`python -m endcap.events.schemas.next_version`: the next version of each topic's schema whose contract changed, as a file."""

import sys

from endcap.core.errors import EndcapError
from endcap.events.schemas.changes import require_compatible, schema_changes
from endcap.events.schemas.released import write_version


def write_next_versions() -> None:
    """Write what changed, and say so; nothing is written where anything breaks.

    Raises:
        SchemaIncompatible: a contract does not read what was written by an earlier one.
        DataRejected: a released schema cannot be read.
    """
    changes = schema_changes()
    require_compatible(changes)
    for change in changes:
        if change.is_new:
            write_version(change.topic.stem, change.schema)
            sys.stdout.write(f"{change.topic.stem}: version {change.version}\n")


if __name__ == "__main__":
    try:
        write_next_versions()
    except EndcapError as error:
        sys.exit(str(error))

"""How far Kafka has confirmed each file of a log."""

import json
from collections.abc import Iterable
from pathlib import Path

from endcap.core.files import replace_text
from endcap.core.log import get_logger

_log = get_logger("spool")


class Places:
    """Bytes by file, in the order in which the files are sent; kept in a small file that is replaced whole.

    A file that is not known is confirmed up to 0, so that a place that was not stored sends lines again, and never leaves one out.

    Args:
        file: where they are kept; none is fine. A damaged one, as a disk may have it that lost its power, is begun anew.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._bytes = _read(file)

    def __getitem__(self, name: str) -> int:
        return self._bytes.get(name, 0)

    def __setitem__(self, name: str, confirmed: int) -> None:
        self._bytes[name] = confirmed

    def follow(self, names: Iterable[str]) -> bool:
        """Know these files and no others: new ones come last, by their names; whether some that were known are gone."""
        there = sorted(names)
        gone = self._bytes.keys() - set(there)
        for name in gone:
            del self._bytes[name]
        for name in there:
            self._bytes.setdefault(name, 0)
        return bool(gone)

    def forget(self, name: str) -> None:
        """A file that was removed."""
        self._bytes.pop(name, None)

    def in_order(self) -> list[str]:
        """Names of the known files, the first to send first."""
        return list(self._bytes)

    def save(self) -> None:
        """Keep them.

        Raises:
            OSError: the disk refused.
        """
        replace_text(self._file, json.dumps(self._bytes))


def _read(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(place) for name, place in json.loads(file.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        _log.warning("the places that Kafka confirmed are damaged; what lies in the folder is sent again", file=str(file))
        return {}

"""An event log whose people, visits and orders are named as the settings want them to be kept."""

import json
import re
from functools import lru_cache
from pathlib import Path

from endcap.core.files import replace_text, replacing_folder
from endcap.core.person_ids import PersonIds
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX

STAMP_FILE = "person_ids"
"""Beside the log's files: the fingerprint of the key that their ids are hashed with; none while they are as given."""

_REMEMBERED = 100_000
# Quotes within a value are escaped, so this finds fields only, never what stands in a text.
_FIELD = re.compile(rb'"(?:user_id|session_id|order_id)":("(?:[^"\\]|\\.)*")')


def log_person_ids(folder: Path) -> str | None:
    """What ids in the log are hashed with, as `PersonIds.fingerprint` says."""
    try:
        return (folder / STAMP_FILE).read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def require_kept_log(folder: Path, ids: PersonIds) -> None:
    """Refuse to write to a log whose ids are kept in another way; an empty one is kept in this way from now on.

    Raises:
        DataRejected: what lies there is named otherwise, so that people would be two, before and after.
    """
    stamp = log_person_ids(folder)
    if stamp == ids.fingerprint:
        return
    if stamp is None and not any(folder.glob(f"*{FILE_SUFFIX}*")):
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / STAMP_FILE, f"{ids.fingerprint}\n")
        return
    ids.require(stamp, where=str(folder), otherwise="move the log away")


def keep_ids_of_log(folder: Path, ids: PersonIds) -> int:
    """Rename what lies in a log that nobody writes to; all of it or nothing. All else of a line stays, byte for byte.

    Args:
        folder: of the log; none is fine.
        ids: how ids are kept from now on.

    Returns: how many ids were renamed.

    Raises:
        DataRejected: they are hashed already, with another key.
    """
    stamp = log_person_ids(folder)
    if ids.key is None or stamp == ids.fingerprint or not folder.is_dir():
        return 0
    if stamp is not None:
        ids.require(stamp, where=str(folder), otherwise="move the log away")

    @lru_cache(_REMEMBERED)
    def kept(value: bytes) -> bytes:
        return json.dumps(ids.kept(json.loads(value))).encode()

    def renamed(found: re.Match[bytes]) -> bytes:
        start, end = found.start(1) - found.start(), found.end(1) - found.start()
        whole = found.group()
        return whole[:start] + kept(found.group(1)) + whole[end:]

    count = 0
    with replacing_folder(folder) as aside:
        for file in sorted(folder.iterdir()):
            if not file.name.endswith((FILE_SUFFIX, OPEN_SUFFIX)):
                continue
            with file.open("rb") as lines, (aside / file.name).open("wb") as written:
                for line in lines:
                    new, found = _FIELD.subn(renamed, line)
                    count += found
                    written.write(new)
        (aside / STAMP_FILE).write_text(f"{ids.fingerprint}\n", encoding="ascii")
    return count

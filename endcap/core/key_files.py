"""Files of keys: a key a line, 32 random bytes in URL-safe base64, the newest first; the local profile makes its own."""

import base64
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from endcap.core.errors import InvalidInput

KEY_BYTES = 32


def new_key() -> str:
    """A random key, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_keys(path: Path | None, own: Path, setting: str, *, may_make: bool) -> Sequence[str]:
    """The keys of a file, as they stand there.

    Args:
        path: as set; None for `own`.
        own: where the local profile keeps a key that it makes.
        setting: that names `path`.
        may_make: whether a missing `own` is made.

    Raises:
        InvalidInput: no file is named where none may be made, or it cannot be read.
    """
    if path is None:
        if not may_make:
            raise InvalidInput("is not set", field=setting, fix="mount a secret with a key, and name its file")
        _make(own)
    file = path or own
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", field=setting, value=str(file), fix="name a readable file") from error


def _make(own: Path) -> None:
    """Put a new key in place unless there is one; of two processes one is first, and both read its key."""
    if own.exists():
        return
    own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = own.with_name(f".{own.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_key() + "\n")
    try:
        with suppress(FileExistsError):
            os.link(aside, own)
    finally:
        aside.unlink()

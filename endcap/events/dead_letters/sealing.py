"""What a sender wrote, unreadable without a key of its own; and how such keys are kept."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from endcap.core.errors import InvalidInput


class Seal:
    """Encrypts texts, and reads them back.

    Args:
        keys: as `new_key` makes them; the first encrypts, all of them read.
        setting: names the keys in errors.

    Raises:
        InvalidInput: there is no key, or one is none.
    """

    def __init__(self, keys: Sequence[str], setting: str) -> None:
        self._setting = setting
        if not keys:
            raise InvalidInput("there is no key", field=setting, fix="put one there, 32 random bytes in URL-safe base64")
        try:
            self._keys = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise InvalidInput("no key", field=setting, fix="give 32 random bytes in URL-safe base64, a key a line") from error

    def seal(self, text: str) -> str:
        """The text, encrypted and signed; only URL-safe characters."""
        return self._keys.encrypt(text.encode("utf-8", "replace")).decode()

    def open(self, sealed: str) -> str:
        """What was sealed.

        Raises:
            InvalidInput: it was sealed with another key, or changed since.
        """
        try:
            return self._keys.decrypt(sealed).decode()
        except (InvalidToken, ValueError) as error:
            raise InvalidInput("sealed with another key, or changed", field=self._setting, fix="add the key of that time") from error


def new_key() -> str:
    """A random key, as text."""
    return Fernet.generate_key().decode()


def load_seal(path: Path | None, own: Path, setting: str, *, may_make: bool) -> Seal:
    """The keys of a file.

    Args:
        path: as set; None for `own`.
        own: where the local profile keeps a key that it makes.
        setting: that names `path`.
        may_make: whether a missing `own` is made.

    Raises:
        InvalidInput: the file cannot be read, or holds no key.
    """
    if path is None:
        if not may_make:
            raise InvalidInput("is not set", field=setting, fix="mount a secret with a key, and name its file")
        _make(own)
    file = path or own
    try:
        lines = file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", field=setting, value=str(file), fix="name a readable file") from error
    return Seal(lines, setting)


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

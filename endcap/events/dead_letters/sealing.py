"""What a sender wrote, unreadable without a key of its own."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from endcap.core.errors import InvalidInput
from endcap.core.key_files import read_keys
from endcap.core.settings import Settings


class Seal:
    """Encrypts texts, and reads them back.

    Args:
        keys: as `endcap.core.key_files` makes them; the first encrypts, all of them read.
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


def load_seal(path: Path | None, own: Path, setting: str, *, may_make: bool) -> Seal:
    """The keys of a file, as `endcap.core.key_files` reads them.

    Raises:
        InvalidInput: the file cannot be read, or holds no key.
    """
    return Seal(read_keys(path, own, setting, may_make=may_make), setting)


def dead_letter_seal(settings: Settings, *, may_make: bool) -> Seal:
    """The seal of dead letters, the same for whoever buries and opens them.

    Args:
        settings: all settings.
        may_make: whether the local profile's own key is made where it is missing.

    Raises:
        InvalidInput: the file cannot be read, or holds no key.
    """
    own = settings.keys_dir / "dead_letters.key"
    return load_seal(settings.collector.dead_letter_key_file, own, "ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE", may_make=may_make)

"""Ids of people, visits and orders as endcap keeps them: as they are given, or as their hash under a key that the shop alone has."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from endcap.core.errors import DataRejected, InvalidInput
from endcap.core.key_files import KEY_BYTES, read_keys

if TYPE_CHECKING:
    from endcap.core.settings import Settings

KEY_SETTING = "ENDCAP_PERSON_IDS__KEY_FILE"
_FIX = "give 32 random bytes in URL-safe base64"
_PERSON = b"endcap person id"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class PersonIds:
    """How ids are kept. One function for people, visits and orders: a visit's id stands for an order's where that is not given.

    Attributes:
        key: secret of the hash, keyed BLAKE2b (RFC 7693) of 128 bits; None to keep ids as they are given.
    """

    key: bytes | None = None

    def kept(self, given: str) -> str:
        """The id as it is stored and looked up."""
        if self.key is None:
            return given
        return hashlib.blake2b(given.encode("utf-8", "surrogatepass"), key=self.key, digest_size=_DIGEST_BYTES, person=_PERSON).hexdigest()

    @property
    def fingerprint(self) -> str | None:
        """Names the key without telling it; None where ids are kept as they are given. Equal ones mean that ids meet."""
        return None if self.key is None else hashlib.sha256(b"endcap person ids" + self.key).hexdigest()[:16]

    def require(self, kept_by: str | None, *, where: str, otherwise: str) -> None:
        """Refuse what is kept in another way: its ids would never meet those of requests and events.

        Args:
            kept_by: the fingerprint that is noted there; None where ids are as they were given.
            where: names it in the error.
            otherwise: what may be done instead of changing the settings.

        Raises:
            DataRejected: with the fix.
        """
        if kept_by == self.fingerprint:
            return
        if kept_by is None:
            reason, fix = "ids are as they were given, and the settings want their hash", "run: endcap ids hash"
        elif self.key is None:
            reason, fix = "ids are hashed, and the settings want them as given", f"set ENDCAP_PERSON_IDS__HASHED=true, or {otherwise}"
        else:
            reason, fix = "ids are hashed with another key", f"name the key of that time, or {otherwise}"
        raise DataRejected(reason, field=where, value=kept_by, fix=fix)


AS_GIVEN = PersonIds()


def load_person_ids(settings: "Settings") -> PersonIds:
    """How the settings want ids to be kept; the local profile makes its own key.

    Raises:
        InvalidInput: the key's file is missing or holds no key.
    """
    chosen = settings.person_ids
    if not chosen.hashed:
        return AS_GIVEN
    own = settings.keys_dir / "person_ids.key"
    keys = read_keys(chosen.key_file, own, KEY_SETTING, may_make=settings.profile == "local")
    if len(keys) != 1:
        raise InvalidInput(f"has {len(keys)} keys; a hash has one", field=KEY_SETTING, fix=_FIX)
    try:
        key = base64.b64decode(keys[0], altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("no key", field=KEY_SETTING, fix=_FIX) from error
    if len(key) != KEY_BYTES:
        raise InvalidInput(f"a key of {len(key)} bytes", field=KEY_SETTING, fix=_FIX)
    return PersonIds(key)

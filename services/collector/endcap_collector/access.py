"""Who sends, whether they may from where they do, and whether they sent too much."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from endcap.core.clock import Clock
from endcap.core.errors import InvalidInput
from endcap.core.http.refusals import RequestRefused
from endcap.core.settings import Settings
from endcap.events.acceptance.acceptance import Sender
from endcap.events.acceptance.scopes import CHANGES_ITEMS, TYPES_OF_SCOPE, Scope
from endcap_collector.key_file import SETTING, KeyEntry, KeyRing
from endcap_collector.rate_limit import RateLimits
from endcap_collector.watched_keys import WatchedKeys

KEY_HEADER = "x-endcap-key"
KEY_PARAMETER = "key"
"""For `navigator.sendBeacon`, which sets no header; for browser keys only, since addresses end up in logs."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do.

    Attributes:
        sender: whose key it came with.
        events_per_second: of that key.
        burst: of that key.
    """

    sender: Sender
    events_per_second: float
    burst: float


class Access:
    """Decides for each request.

    Args:
        settings: all settings.
        keys: None where one machine's own address needs none.
        limits: of all keys.
        clock: the present, UTC.

    Raises:
        InvalidInput: there are no keys, and others could reach the address.
    """

    def __init__(self, settings: Settings, keys: WatchedKeys | None, limits: RateLimits, clock: Clock) -> None:
        self._settings = settings.collector
        self._keys = keys
        self._limits = limits
        self._clock = clock
        if keys is None and (settings.profile != "local" or self._settings.host not in _LOOPBACK):
            raise InvalidInput("is not set, and others reach this address", field=SETTING, fix="name a file of keys")

    def grant(self, request: Request) -> Grant:
        """Whose request it is; takes one from the key's bucket.

        Raises:
            RequestRefused: 401 for no key or an unknown one, 403 for the wrong place, 429 for too much.
        """
        origin = request.headers.get("origin")
        grant = self._open(origin) if self._keys is None else self._keyed(self._keys.ring(), request, origin)
        self._take(grant, 1, 1)
        return grant

    def charge(self, grant: Grant, events: int) -> None:
        """Take a request's further events from the key's bucket; more than it holds are taken from a full one.

        Raises:
            RequestRefused: 429, with the time after which they would be there.
        """
        if events > 0:
            self._take(grant, events, min(events, grant.burst - 1))

    def _take(self, grant: Grant, count: int, needed: float) -> None:
        seconds = self._limits.take(grant.sender.key_id, grant.events_per_second, grant.burst, count, needed)
        if seconds is not None:
            raise RequestRefused(429, f"more than {grant.events_per_second:g} events a second with this key", retry_after_s=seconds)

    def is_known_origin(self, origin: str) -> bool:
        """Whether pages of an origin may read answers, whatever key they use."""
        if origin in self._settings.allowed_origins:
            return True
        return _is_own_machine(origin) if self._keys is None else origin in self._keys.ring().origins

    def _open(self, origin: str | None) -> Grant:
        if origin is not None and not self.is_known_origin(origin):
            raise RequestRefused(403, "origin: none whose pages may send here; name it in ENDCAP_COLLECTOR__ALLOWED_ORIGINS")
        scope = Scope.SERVER if origin is None else Scope.BROWSER
        return self._granted(Sender(f"own-{scope}", scope, TYPES_OF_SCOPE[scope], scope in CHANGES_ITEMS), None)

    def _keyed(self, ring: KeyRing, request: Request, origin: str | None) -> Grant:
        given, is_in_address = _key_of(request)
        entry = ring.find(given) if given else None
        if entry is None or (entry.expires_at is not None and self._clock() >= entry.expires_at):
            raise RequestRefused(401, f"no key that holds: send one as `Authorization: Bearer KEY`, {KEY_HEADER}, or ?{KEY_PARAMETER}=")
        if entry.scope is not Scope.BROWSER:
            if is_in_address:
                raise RequestRefused(403, f"a {entry.scope} key does not belong into an address; send it as a header")
            if origin is not None:
                raise RequestRefused(403, f"a {entry.scope} key does not belong into a browser; use a browser key")
        elif entry.origins:
            if origin not in entry.origins:
                raise RequestRefused(403, "origin: none that this key names")
        elif origin is not None and not self.is_known_origin(origin):
            raise RequestRefused(403, "origin: none whose pages may send here; name it in ENDCAP_COLLECTOR__ALLOWED_ORIGINS")
        return self._granted(entry.sender, entry)

    def _granted(self, sender: Sender, entry: KeyEntry | None) -> Grant:
        rate = entry.events_per_second if entry else None
        burst = entry.burst if entry else None
        return Grant(sender, rate or self._settings.events_per_second, burst or self._settings.burst)


def _key_of(request: Request) -> tuple[str, bool]:
    """The key, empty for none, and whether it stands in the address."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip(), False
    if header := request.headers.get(KEY_HEADER):
        return header, False
    return request.query_params.get(KEY_PARAMETER, ""), True


def _is_own_machine(origin: str) -> bool:
    try:
        return urlsplit(origin).hostname in _LOOPBACK
    except ValueError:
        return False

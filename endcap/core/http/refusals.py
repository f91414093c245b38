"""Why a whole request is not answered as asked, as HTTP says it."""

from collections.abc import Mapping


class RequestRefused(Exception):
    """A request that ends here.

    Args:
        status: of HTTP.
        message: for whoever wrote the request.
        retry_after_s: after which it may be sent again; None where that would not help.
        is_last: whether the connection is closed, since its body was not read to the end.
        more: further headers of the answer; names in small letters.
    """

    def __init__(
        self, status: int, message: str, *, retry_after_s: int | None = None, is_last: bool = False, more: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after_s, self.is_last, self._more = status, message, retry_after_s, is_last, dict(more or {})

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside its status."""
        said = {"retry-after": str(self.retry_after_s)} if self.retry_after_s is not None else {}
        return self._more | said | ({"connection": "close"} if self.is_last else {})

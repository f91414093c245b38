"""What the client raises: each message names the field, the value and the fix."""


class EndcapClientError(Exception):
    """Base of all of them."""

    def __init__(self, message: str, *, field: str, value: object = None, fix: str | None = None) -> None:
        self.field = field
        self.value = value
        self.fix = fix
        parts = [f"{field}: {message}", *([f"got {value!r}"] if value is not None else []), *([fix] if fix else [])]
        super().__init__("; ".join(parts))


class InvalidSetting(EndcapClientError):
    """A setting or an argument is none that the client takes."""


class ClientClosed(EndcapClientError):
    """The client is not open; it sends within its `with` block only."""


class RecommendationRefused(EndcapClientError):
    """The endpoint refused the request; the same request would be refused again."""


class RecommendationUnavailable(EndcapClientError):
    """No list came in time. A page shows a list of its own, or none."""

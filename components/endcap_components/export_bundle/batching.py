"""How requests of several callers are joined into one batch; `joined_signatures` does it."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from endcap.core.overrides import overridden


class Batching(BaseModel):
    """How requests are joined. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries_max: int = Field(64, ge=1, description="Queries that are encoded at once.")
    candidates_max: int = Field(8192, ge=1, description="Candidates that are ranked at once.")
    wait_ms: float = Field(1.0, ge=0, le=2_000_000, description="How long a request waits for others to join it.")
    threads: int = Field(2, ge=1, description="Batches in work at the same time.")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self | None:
        """The defaults with some values replaced, or None for `{}`: no batching, which is best without a GPU.

        Raises:
            InvalidInput: a name is unknown or a value is not allowed.
        """
        return overridden(cls, given, "batching") if given else None

"""What a Prometheus says at one moment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

from endcap.core.errors import DependencyUnavailable, InvalidInput

if TYPE_CHECKING:
    import httpx

QUERY_PATH = "/api/v1/query"
REFUSALS = (400, 422)
"""It does not parse, or it cannot be executed; another query may still be answered."""
FIX = "look at ENDCAP_ROLLOUTS__PROMETHEUS_URL and at Prometheus itself"


class Prometheus:
    """Asks instant queries over Prometheus's HTTP API.

    Args:
        client: its base URL is Prometheus's own.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def at(cls, url: str, timeout_s: float) -> Self:
        """One that waits `timeout_s` for an answer at most."""
        import httpx

        return cls(httpx.Client(base_url=url.rstrip("/"), timeout=timeout_s))

    def now(self) -> float:
        """Prometheus's own Unix time, so that all queries of one look can be about the same moment.

        Raises:
            DependencyUnavailable: Prometheus does not answer.
        """
        return float(self._query("time()", None)["result"][1])

    def number(self, query: str, moment: float | None = None) -> float | None:
        """The one number of a query's result; None when it is empty or not a finite number.

        Args:
            query: PromQL.
            moment: Unix time of the query; None for now.

        Raises:
            DependencyUnavailable: Prometheus does not answer, or not in time.
            InvalidInput: the query is no PromQL, or has more than one number as its result.
        """
        data = self._query(query, moment)
        if data["resultType"] == "scalar":
            return _finite(data["result"][1])
        if data["resultType"] != "vector" or len(data["result"]) > 1:
            found = f"{len(data['result'])} series" if data["resultType"] == "vector" else f"a {data['resultType']}"
            raise InvalidInput(f"must have one number as its result, has {found}", field="query", value=query, fix="aggregate it: sum(...)")
        return _finite(data["result"][0]["value"][1]) if data["result"] else None

    def by_label(self, query: str, label: str, moment: float | None = None) -> dict[str, float]:
        """The finite numbers of a query's result by the value of one label; empty without data.

        Raises:
            DependencyUnavailable: Prometheus does not answer, or not in time.
            InvalidInput: the query is no PromQL.
        """
        series = self._query(query, moment)["result"]
        numbers = {each["metric"].get(label, ""): _finite(each["value"][1]) for each in series}
        return {name: number for name, number in numbers.items() if number is not None}

    def close(self) -> None:
        self._client.close()

    def _query(self, query: str, moment: float | None) -> dict[str, Any]:
        import httpx

        form = {"query": query} if moment is None else {"query": query, "time": f"{moment:.3f}"}
        try:
            response = self._client.post(QUERY_PATH, data=form)
            answer = response.json()
        except httpx.HTTPError as error:
            raise DependencyUnavailable(f"no answer from Prometheus: {error or type(error).__name__}", fix=FIX) from error
        except ValueError as error:
            raise DependencyUnavailable(f"answer {response.status_code} is not Prometheus's", fix=FIX) from error
        if isinstance(answer, dict) and answer.get("status") == "success":
            return dict(answer["data"])
        reason = answer.get("error", "") if isinstance(answer, dict) else ""
        if response.status_code in REFUSALS:
            raise InvalidInput(f"Prometheus refuses it: {reason}", field="query", value=query)
        raise DependencyUnavailable(f"Prometheus answered {response.status_code}: {reason}", fix=FIX)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None

"""A registry's answers made up, for what a real one cannot be brought to say."""

import json
from collections.abc import Callable

import httpx

from endcap.events.schemas.registry import SchemaRegistry

URL = "http://registry.test/apis/ccompat/v7"
Answer = Callable[[httpx.Request], httpx.Response]


def made_registry(answer: Answer) -> SchemaRegistry:
    return SchemaRegistry(httpx.Client(base_url=URL, transport=httpx.MockTransport(answer)))


class ChangingRegistry:
    """Answers a look-up with its `id`; None for a schema that is not registered, an exception when the registry is away.

    Attributes:
        asked: requests so far, as method and path.
    """

    def __init__(self, schema_id: int | Exception | None) -> None:
        self.id = schema_id
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.raw_path.decode()}")
        if isinstance(self.id, Exception):
            raise self.id
        if self.id is None:
            return httpx.Response(404, json={"error_code": 40403, "message": "Schema not found"})
        return httpx.Response(200, json={"subject": "s", "id": self.id, "version": 1, "schema": json.loads(request.content)["schema"]})

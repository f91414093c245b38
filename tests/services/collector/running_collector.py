"""A collector without a port: its application, asked through ASGI."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import yaml

from endcap.catalogue.changes.change_log import read_changes
from endcap.core.settings import CollectorSettings, ConsentSettings, EventSettings, Settings
from endcap.events.dead_letters.letters import letter_table
from endcap.events.log.reader import read_events
from endcap_collector.app import Parts, make_app, open_parts
from endcap_collector.key_file import hash_of
from tests.endcap.events.sent_events import CUSTOM_TYPES

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SHOP = "https://shop.example"
KEYS: dict[str, dict[str, Any]] = {
    "browser-key": {"name": "web", "scope": "browser", "origins": [SHOP]},
    "app-key": {"name": "app", "scope": "browser"},
    "server-key": {"name": "till", "scope": "server"},
    "backfill-key": {"name": "history", "scope": "backfill"},
    "transformer-key": {"name": "lists", "scope": "transformer"},
    "narrow-key": {"name": "views", "scope": "browser", "types": ["product_view", "purchase"]},
    "slow-key": {"name": "slow", "scope": "server", "events_per_second": 1, "burst": 3},
    "catalogue-key": {"name": "prices", "scope": "catalogue"},
    "purchase-key": {"name": "orders", "scope": "server", "types": ["purchase"]},
    "old-key": {"name": "old", "scope": "server", "expires_at": "2026-01-01T00:00:00Z"},
}


def key_file(keys: dict[str, dict[str, Any]]) -> str:
    """The file of keys, as YAML."""
    return yaml.safe_dump({"keys": [{**entry, "sha256": hash_of(key)} for key, entry in keys.items()]})


@dataclass
class Ticks:
    """Seconds that go on when they are told to."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Running:
    """A collector that answers."""

    client: httpx.AsyncClient
    parts: Parts
    home: Path
    ticks: Ticks = field(default_factory=Ticks)

    async def send(self, body: Any, key: str | None = "server-key", **more: Any) -> httpx.Response:
        """Send events, or a body that is bytes already."""
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post("/v1/events", content=content, headers=headers, **more)

    async def put(self, body: Any, key: str | None = "catalogue-key", **more: Any) -> httpx.Response:
        """Send items, or a body that is bytes already."""
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.put("/v1/items", content=content, headers=headers, **more)

    def changes(self) -> pl.DataFrame:
        return read_changes(self.home / "catalogue")

    def stored(self) -> pl.DataFrame:
        return read_events(self.home / "events").collect()

    def written(self) -> bytes:
        """All that is on disk of events and dead letters."""
        return b"".join(file.read_bytes() for file in self.home.rglob("*.jsonl*"))

    def letters(self) -> pl.DataFrame:
        return letter_table(self.home / "dead_letters")


def _furnish(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "types.yaml").write_text(CUSTOM_TYPES)
    if not (home / "keys.yaml").exists():
        (home / "keys.yaml").write_text(key_file(KEYS))


@asynccontextmanager
async def running(
    home: Path, *, keyed: bool = True, kafka: str | None = None, clock: Callable[[], datetime] = lambda: NOW, **chosen: Any
) -> AsyncIterator[Running]:
    """A collector in `home`, with `KEYS` unless it has none; it sends to Kafka where that is given as host:port."""
    _furnish(home)
    settings = Settings(
        home=home,
        events=EventSettings(custom_types_file=home / "types.yaml", kafka_bootstrap=kafka),
        consent=ConsentSettings(personalisation=True, analytics=True),
        collector=CollectorSettings(keys_file=home / "keys.yaml" if keyed else None, **chosen),
    )
    ticks = Ticks()
    parts = open_parts(settings, clock, ticks)
    if parts.spool is not None:
        parts.spool.start()
    transport = httpx.ASGITransport(make_app(parts), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
        try:
            yield Running(client, parts, home, ticks)
        finally:
            if parts.spool is not None:
                await parts.spool.close()
            await parts.events.close()
            await parts.letters.close()
            await parts.catalogue.close()

from pathlib import Path

import pytest

from endcap.contracts.event_type import EventType
from endcap.core.errors import InvalidInput
from endcap.core.settings import CollectorSettings, Settings
from endcap_collector.app import open_parts
from tests.endcap.events.sent_events import sent
from tests.services.collector.running_collector import KEYS, NOW, SHOP, key_file, running

VIEW = sent(EventType.PRODUCT_VIEW, NOW)
PURCHASE = sent(EventType.PURCHASE, NOW)


@pytest.mark.parametrize(
    ("key", "origin", "status"),
    [
        (None, None, 401),
        ("wrong", None, 401),
        ("old-key", None, 401),
        ("server-key", None, 200),
        ("server-key", SHOP, 403),
        ("browser-key", SHOP, 200),
        ("browser-key", "https://evil.example", 403),
        ("browser-key", None, 403),
        ("app-key", None, 200),
        ("app-key", "https://evil.example", 403),
        ("app-key", "https://other.example", 200),
    ],
)
async def test_a_key_holds_where_it_says(tmp_path: Path, key: str | None, origin: str | None, status: int) -> None:
    async with running(tmp_path, allowed_origins=["https://other.example"]) as collector:
        answer = await collector.send(VIEW, key, headers={"origin": origin} if origin else {})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("key", "status"), [("app-key", 200), ("server-key", 403), ("wrong", 401)])
async def test_only_a_browser_key_may_stand_in_an_address(tmp_path: Path, key: str, status: int) -> None:
    async with running(tmp_path) as collector:
        assert (await collector.send(VIEW, None, params={"key": key})).status_code == status


@pytest.mark.parametrize(
    ("key", "event", "status"),
    [("app-key", PURCHASE, 403), ("narrow-key", VIEW, 200), ("narrow-key", sent(EventType.CLICK, NOW), 403), ("narrow-key", PURCHASE, 403)],
)
async def test_a_key_sends_its_own_types_only(tmp_path: Path, key: str, event: dict[str, object], status: int) -> None:
    async with running(tmp_path) as collector:
        assert (await collector.send(event, key)).status_code == status


async def test_keys_are_changed_without_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        (tmp_path / "keys.yaml").write_text(key_file({"new-key": {"name": "new", "scope": "server"}}))
        assert (await collector.send(VIEW, "new-key")).status_code == 401
        collector.ticks.seconds += 1
        assert (await collector.send(VIEW, "new-key")).status_code == 200
        assert (await collector.send(VIEW, "server-key")).status_code == 401


async def test_a_broken_file_of_keys_leaves_the_earlier_keys(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        (tmp_path / "keys.yaml").write_text("keys: [")
        collector.ticks.seconds += 1
        assert (await collector.send(VIEW)).status_code == 200
        assert "endcap_collector_keys_ok 0.0" in (await collector.client.get("/metrics")).text
        (tmp_path / "keys.yaml").write_text(key_file(KEYS))
        collector.ticks.seconds += 1
        assert (await collector.send(VIEW)).status_code == 200
        assert "endcap_collector_keys_ok 1.0" in (await collector.client.get("/metrics")).text


async def test_a_key_that_sends_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        answers = [await collector.send(VIEW, "slow-key") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "1"
        assert (await collector.send(VIEW, "server-key")).status_code == 200
        collector.ticks.seconds += 1
        assert (await collector.send(VIEW, "slow-key")).status_code == 200


async def test_the_events_of_a_request_count_each(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        events = [sent(EventType.PAGE_VIEW, NOW, str(number)) for number in range(3)]
        assert (await collector.send(events, "slow-key")).status_code == 200
        assert (await collector.send(VIEW, "slow-key")).status_code == 429


async def test_a_request_of_more_than_a_burst_is_taken_and_holds_up_the_next(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        events = [sent(EventType.PAGE_VIEW, NOW, str(number)) for number in range(10)]
        assert (await collector.send(events, "slow-key")).status_code == 200
        refused = await collector.send(VIEW, "slow-key")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "8")
        collector.ticks.seconds += 8
        assert (await collector.send(VIEW, "slow-key")).status_code == 200


async def test_a_browser_that_asks_first_is_answered_for_known_origins(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        known = await collector.client.options("/v1/events", headers={"origin": SHOP, **asked})
        assert (known.status_code, known.headers["access-control-allow-origin"], known.headers["vary"]) == (204, SHOP, "origin")
        assert "content-type" in known.headers["access-control-allow-headers"]
        unknown = await collector.client.options("/v1/events", headers={"origin": "https://evil.example", **asked})
        assert unknown.status_code == 403
        assert "access-control-allow-origin" not in unknown.headers


@pytest.mark.parametrize("key", ["browser-key", "wrong"])
async def test_a_page_of_a_known_origin_may_read_any_answer(tmp_path: Path, key: str) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send(VIEW, key, headers={"origin": SHOP})
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-expose-headers"] == "retry-after"


@pytest.mark.parametrize(
    ("origin", "event", "status"),
    [
        (None, PURCHASE, 200),
        ("http://localhost:3000", VIEW, 200),
        ("http://localhost:3000", PURCHASE, 403),
        ("https://evil.example", VIEW, 403),
        ("http://[", VIEW, 403),
    ],
)
async def test_one_machine_needs_no_keys_and_lets_no_other_page_in(
    tmp_path: Path, origin: str | None, event: dict[str, object], status: int
) -> None:
    async with running(tmp_path, keyed=False) as collector:
        answer = await collector.send(event, None, headers={"origin": origin} if origin else {})
        assert answer.status_code == status


@pytest.mark.parametrize("settings", [{"profile": "cluster"}, {"collector": CollectorSettings(host="0.0.0.0")}])  # noqa: S104
def test_without_keys_no_address_is_opened_to_others(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="ENDCAP_COLLECTOR__KEYS_FILE: is not set"):
        open_parts(Settings(home=tmp_path, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("keys: [{name: a, sha256: x, scope: server}]", "keys.0.sha256"),
        (f"keys: [{{name: a, sha256: {'a' * 64}, scope: everything}}]", "keys.0.scope"),
        (f"keys: [{{name: a, sha256: {'a' * 64}, scope: server}}, {{name: a, sha256: {'b' * 64}, scope: server}}]", "twice"),
        ("keys: [", "no YAML"),
        ("keys: []\nkeys: []", "stands twice"),
    ],
)
def test_a_file_of_keys_that_cannot_be_used_says_why(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "keys.yaml").write_text(content)
    with pytest.raises(InvalidInput, match=message):
        open_parts(Settings(home=tmp_path, collector=CollectorSettings(keys_file=tmp_path / "keys.yaml")))

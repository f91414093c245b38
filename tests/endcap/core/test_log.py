"""Lines say which request they are about, and nothing about the person."""

import asyncio
import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.log import configure_logging, get_logger, label_lines, without_personal
from tests.properties import examples


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch):
    written = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", written)
        configure_logging("INFO", "json")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    configure_logging()


async def test_line_about_a_request_has_its_ids(lines) -> None:
    label_lines("order-17", "4bf92f3577b34da6a3ce929d0e0e4736")
    get_logger("transformer").warning("stage fell back", stage="rank")
    (line,) = lines()
    assert line["request_id"] == "order-17"
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (line["part"], line["stage"], line["level"]) == ("transformer", "rank", "warning")


async def test_tasks_of_a_request_share_its_ids_and_others_do_not(lines) -> None:
    async def request(number: int) -> None:
        label_lines(f"r{number}")
        await asyncio.gather(*(stage(number) for _ in range(2)))

    async def stage(number: int) -> None:
        await asyncio.sleep(0)
        get_logger("transformer").info("stage", number=number)

    await asyncio.gather(*(request(number) for number in range(4)))
    get_logger("transformer").info("outside")
    *inside, outside = lines()
    assert [line["request_id"] for line in inside] == [f"r{line['number']}" for line in inside]
    assert len(inside) == 8
    assert "request_id" not in outside


def test_personal_fields_are_left_out_at_any_depth(lines) -> None:
    at, seen = {"session_id": "S1", "stage": "rank"}, [{"email": "a@b.example"}]
    get_logger("transformer").info("failed", user_id="U1", Query="milk", at=at, seen=seen)
    (line,) = lines()
    assert set(line) == {"event", "at", "seen", "part", "level", "timestamp"}
    assert (line["at"], line["seen"]) == ({"stage": "rank"}, [{}])


async def test_values_of_the_request_are_hidden_wherever_they_stand(lines) -> None:
    label_lines("r", private=lambda: ["Ann-7", "4711"])
    try:
        raise KeyError("Ann-7")
    except KeyError:
        get_logger("transformer").error("no row of ann-7", rows=4711, other=47110, error=RuntimeError("row 4711 of Ann-7"), exc_info=True)
    (line,) = lines()
    assert line["event"] == "no row of [hidden]"
    assert (line["rows"], line["other"]) == ("[hidden]", 47110)
    assert line["error"] == "row [hidden] of [hidden]"
    assert "Traceback" in line["exception"]
    assert "Ann-7" not in line["exception"]


async def test_before_a_request_is_parsed_everything_quoted_is_hidden(lines) -> None:
    label_lines("r")
    get_logger("transformer").error("request failed", error="ValueError: no user 'Ann'; got {'user_id': 5}; fix it")
    (line,) = lines()
    assert line["error"] == "ValueError: no user [hidden][hidden]"


def test_addresses_of_people_are_hidden_everywhere(lines) -> None:
    get_logger("transformer").info("mail to ann.b+shop@mail.example failed")
    assert lines()[0]["event"] == "mail to [hidden] failed"


@examples(200)
@given(middle=st.text(max_size=20), around=st.text(max_size=20))
def test_no_spelling_of_an_id_survives(middle: str, around: str) -> None:
    user = f"user{middle}77"

    async def line() -> dict:
        label_lines("r", private=lambda: [user])
        said = {"a": f"{around} {user} {around}", "b": f"KeyError: {user!r}", "c": f"row[{user}]", "d": json.dumps({"u": user})}
        return dict(without_personal(None, "info", said))

    hidden = asyncio.run(line())
    assert all("user" not in text.lower().replace(around.lower(), "") for text in hidden.values())

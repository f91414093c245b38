"""Other libraries' lines come out as endcap's do. In processes of their own: what is bridged is the whole process's."""

import json
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.processes

START = """
import logging, sys, threading, warnings
from endcap.core.log import configure_logging
from endcap.core.standard_logging import bridge_standard_logging
configure_logging("INFO", "json")
bridge_standard_logging("transformer", {"chatty": logging.ERROR})
"""


def run(program: str) -> list[dict]:
    """The lines on standard error; each must be a JSON object. Warnings are on, whatever the caller's environment makes of them."""
    command = [sys.executable, "-W", "default", "-c", START + textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_lines_are_structured_and_levels_hold() -> None:
    lines = run("""
    logging.getLogger("some.library").warning("slow: %s ms\\nand more", 80)
    logging.getLogger("some.library").info("never mind")
    logging.getLogger("chatty").warning("never mind")
    warnings.warn("old way")
    """)
    assert [(line["event"], line["level"], line.get("logger")) for line in lines[:1]] == [("slow: 80 ms", "warning", "some.library")]
    assert [line["logger"] for line in lines] == ["some.library", "py.warnings"]
    assert {line["part"] for line in lines} == {"transformer"}


def test_the_same_message_comes_once_in_a_while_whatever_is_filled_in() -> None:
    lines = run("""
    for number in range(50):
        logging.getLogger("library").error("failed %s times", number)
    """)
    assert [line["event"] for line in lines] == ["failed 0 times"]


@pytest.mark.parametrize(
    ("program", "event"),
    [
        ("raise ValueError('no')", "uncaught error"),
        ("thread = threading.Thread(target=lambda: int('no')); thread.start(); thread.join()", "thread ended"),
        ("class Last:\n    def __del__(self): raise ValueError('no')\nlast = Last(); del last", "error in a finaliser"),
    ],
)
def test_error_that_nobody_caught_is_one_line(program: str, event: str) -> None:
    (line,) = run(program)
    assert line["event"] == event
    assert line["error"].startswith("ValueError: ")


def test_a_record_that_cannot_be_formatted_ends_nothing() -> None:
    lines = run("""
    logging.getLogger("library").warning("%d", "no number")
    logging.getLogger("library").warning("after")
    """)
    assert [line["event"] for line in lines] == ["a line could not be written", "after"]

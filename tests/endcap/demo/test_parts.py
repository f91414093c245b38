"""Ports and readiness of the demo's server."""

import socket

from endcap.demo.parts import PredictClient, preferred_port


def test_a_port_that_is_taken_gives_way_to_another_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert preferred_port(port) != port
    assert preferred_port(port) == port


def test_a_server_that_does_not_answer_is_not_ready() -> None:
    client = PredictClient("http://127.0.0.1:1", "endcap")
    assert not client.is_ready()
    client.close()

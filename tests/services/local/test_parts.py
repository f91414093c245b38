"""A part that does not answer is not ready yet."""

import socket

from endcap_local.parts import Port, _answers, _is_http_ready


def test_a_part_that_does_not_answer_is_not_ready_yet() -> None:
    nothing = Port("127.0.0.1", 1, "ENDCAP_SERVING__HTTP_PORT", "--http-port")
    assert not _answers(nothing) and not _is_http_ready(nothing)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = Port("127.0.0.1", silent.getsockname()[1], "ENDCAP_SERVING__HTTP_PORT", "--http-port")
        assert _answers(port) and not _is_http_ready(port)

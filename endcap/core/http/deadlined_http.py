"""HTTP/1.1 of uvicorn with an end to everything that may never come: the first request, a head, the body of an answered request."""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX_BYTES = 64 * 1024
"""Longest head that comes in pieces; uvicorn and its parser have no limit."""
LINGER_S = 2.0
"""How long what a refused sender still writes is read and thrown away: closed sooner, it would see a reset connection and no answer."""


class _Reading(Enum):
    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class DeadlinedHttp(HttpToolsProtocol):
    """One connection. uvicorn itself has a deadline for the time between two requests, and for nothing else.

    A connection that sends no request is closed like one between two requests, half a head is answered by 408 and a head without end by
    431. The body of a request that is in work is the application's to wait for (`endcap.core.http.body.read_body`); a connection whose
    request was answered before its body came is closed. What came whole with one read costs no timer.

    Args:
        arguments: uvicorn's.
        head_seconds: longest time from a request's first byte to the end of its head.
        body_seconds: longest time that the body of an answered request may take.
        named: uvicorn's.
    """

    def __init__(self, *arguments: Any, head_seconds: float, body_seconds: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_s, self._body_s = head_seconds, body_seconds
        self._reading = _Reading.NOTHING
        self._awaited = _Reading.NOTHING
        self._messages = self._awaited_message = 0
        self._head_bytes = 0
        self._is_refused = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        before, was_reading = self._messages, self._reading
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_waiting()
        elif self._reading is _Reading.NOTHING:
            self._between_requests()
        else:
            if (self._reading, self._messages) != (self._awaited, self._awaited_message):
                self._awaited, self._awaited_message, self._head_bytes = self._reading, self._messages, 0
                self._wait_on()
            if self._reading is _Reading.HEAD and (was_reading is not _Reading.BODY and self._messages - before <= 1):
                self._head_came(len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = _Reading.HEAD
        self._messages += 1

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._reading = _Reading.BODY

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reading = _Reading.NOTHING

    def _head_came(self, size: int) -> None:
        """So many bytes, all of one head."""
        self._head_bytes += size
        if self._head_bytes > HEAD_MAX_BYTES and self._may_answer():
            self._refuse(b"431 Request Header Fields Too Large", b"head: must be at most %d bytes" % HEAD_MAX_BYTES)

    def _between_requests(self) -> None:
        """The time between two requests begins anew, where uvicorn stops its clock with whatever comes."""
        if self._messages:
            self._stop_waiting()
        if self.cycle is not None and self.cycle.response_complete and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _wait_on(self) -> None:
        if self._reading is _Reading.HEAD:
            self._wait(self._head_s, self._head_late)
        else:
            self._wait(self._body_s, self._body_late)

    def _head_late(self) -> None:
        if self.flow.read_paused or not self._may_answer():  # then it is this side that does not read on
            self._wait_on()
        else:
            self._refuse(b"408 Request Timeout", b"head: did not come within %g seconds" % self._head_s)

    def _body_late(self) -> None:
        if self._may_answer():
            self.transport.close()
        else:
            self._wait_on()

    def _may_answer(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, status: bytes, message: bytes) -> None:
        body = b'{"error":"%s"}' % message
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._is_refused = True
        self._wait(LINGER_S, self.transport.close)

    def _wait(self, seconds: float, late: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

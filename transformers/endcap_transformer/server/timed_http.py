"""uvicorn's HTTP protocol, stamping when a request's first bytes were read: its wait for a turn of the loop counts too."""

import time

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from endcap_transformer.resilience.admission import ARRIVED


class TimedHttp(HttpToolsProtocol):
    """HTTP/1.1 parsed by httptools (llhttp)."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][ARRIVED] = time.monotonic()

"""A stream as a process of its own."""

from collections.abc import Mapping
from pathlib import Path

from tests.services.service_process import ServiceProcess


class StreamProcess(ServiceProcess):
    """`python -m endcap_stream` in a home folder.

    Args:
        home: the folder.
        settings: further settings, as environment variables.
        wait: until it is ready, or has ended.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None, *, wait: bool = True) -> None:
        super().__init__("endcap_stream", "ENDCAP_STREAM__PORT", home, settings or {}, wait=wait)

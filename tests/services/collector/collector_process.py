"""A collector as a process of its own."""

from collections.abc import Mapping
from pathlib import Path

from tests.services.service_process import ServiceProcess


class CollectorProcess(ServiceProcess):
    """`python -m endcap_collector` in a home folder, which takes all that is sent.

    Args:
        home: the folder.
        settings: further settings, as environment variables.
        port: of an earlier one; None for any.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None, port: int | None = None) -> None:
        unhurried = {"ENDCAP_COLLECTOR__EVENTS_PER_SECOND": "1e9"}
        super().__init__("endcap_collector", "ENDCAP_COLLECTOR__PORT", home, {**unhurried, **(settings or {})}, port)

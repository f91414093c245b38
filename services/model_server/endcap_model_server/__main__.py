"""`python -m endcap_model_server`: the local model server, configured by `ENDCAP_*`."""

import logging
import sys

from endcap.cli.output import report_failure
from endcap.core.errors import EndcapError
from endcap.core.log import configure_logging
from endcap.core.settings import load_settings
from endcap.core.standard_logging import bridge_standard_logging
from endcap.core.thread_turns import take_short_turns
from endcap_model_server.server import serve


def main() -> int:
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        bridge_standard_logging("model_server", {"opentelemetry": logging.ERROR})
        take_short_turns()
        serve(settings)
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

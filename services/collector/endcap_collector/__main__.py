"""The collector: `python -m endcap_collector`."""

import sys
from functools import partial

import uvicorn
import uvloop

from endcap.cli.output import report_failure
from endcap.core.errors import EndcapError
from endcap.core.http.deadlined_http import DeadlinedHttp
from endcap.core.log import configure_logging, get_logger
from endcap.core.settings import Settings, load_settings
from endcap.core.standard_logging import bridge_standard_logging
from endcap.core.thread_turns import take_short_turns
from endcap_collector.app import make_app, open_parts

_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = 65
"""Longer than a load balancer's usual minute, so that it ends connections first."""


def main() -> None:
    """Run until SIGTERM; requests in work are answered first."""
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        bridge_standard_logging("collector", {})
        take_short_turns()
        run(settings)
    except EndcapError as error:
        report_failure(error)
        sys.exit(error.exit_code)


def run(settings: Settings) -> None:
    """Serve on the address of the settings."""
    chosen = settings.collector
    app = make_app(open_parts(settings))
    get_logger("collector").info("starts", host=chosen.host, port=chosen.port, events=str(settings.event_log_dir))
    config = uvicorn.Config(
        app,
        host=chosen.host,
        port=chosen.port,
        http=partial(DeadlinedHttp, head_seconds=chosen.head_seconds, body_seconds=chosen.body_seconds),  # type: ignore[arg-type]
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvloop.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()

"""`python -m endcap_benchmarks.serving.supervise`: the parts of `endcap serve` on the home that `ENDCAP_*` names, until SIGTERM.

Prints one JSON line once all parts answer: seconds from the start by part, and its own process id.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

from endcap.cli.output import report_failure
from endcap.core.errors import EndcapError
from endcap.core.settings import Settings, load_settings
from endcap_local.parts import Part, event_parts, local_parts, require_free_ports
from endcap_local.supervisor import PartsLog, Supervisor

TRANSFORMER = "endcap_transformer"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transformer", default=TRANSFORMER, help="the Python module that is run as the transformer")
    beside = parser.add_mutually_exclusive_group()
    beside.add_argument("--events", action="store_true", help="run the collector and the stream beside them")
    beside.add_argument("--collector", action="store_true", help="run the collector beside them, and no stream")
    options = parser.parse_args()
    try:
        settings = load_settings()
        run_parts(settings, [*local_parts(settings, options.transformer), *_beside(settings, options)])
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    return 0


def _beside(settings: Settings, options: argparse.Namespace) -> list[Part]:
    """What takes events, as far as it is asked for."""
    if not options.events and not options.collector:
        return []
    collector, stream = event_parts(settings)
    return [collector, stream] if options.events else [collector]


def run_parts(settings: Settings, parts: list[Part]) -> None:
    """Block until a signal comes or a part ends.

    Raises:
        DependencyUnavailable: a port is in use, or a part ended by itself.
    """
    require_free_ports(parts)
    log = PartsLog(settings.home / "logs", [part.name for part in parts], None)
    Supervisor(parts, log, teller(len(parts))).run()


def teller(count: int) -> Callable[[Part], None]:
    """Takes each part as it becomes ready, and prints the line after the last."""
    started = time.monotonic()
    ready_s: dict[str, float] = {}

    def tell(part: Part) -> None:
        ready_s[part.name] = round(time.monotonic() - started, 2)
        if len(ready_s) == count:
            sys.stdout.write(json.dumps({"ready_s": ready_s, "pid": os.getpid()}) + "\n")
            sys.stdout.flush()

    return tell


if __name__ == "__main__":
    sys.exit(main())

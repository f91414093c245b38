"""The stream: `python -m endcap_stream`."""

import signal
import sys
import threading

from prometheus_client import CollectorRegistry

from endcap.cli.output import report_failure
from endcap.core.clock import system_clock
from endcap.core.errors import EndcapError
from endcap.core.log import configure_logging, get_logger
from endcap.core.settings import Settings, load_settings
from endcap.core.standard_logging import bridge_standard_logging
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.windows import Windows
from endcap_stream.beside_events import beside_events
from endcap_stream.endpoints import serving
from endcap_stream.functions import subscriptions
from endcap_stream.job import Job
from endcap_stream.outcome_metrics import OutcomeCollector
from endcap_stream.sole_writer import sole_writer
from endcap_stream.watched_sink import watched


def main() -> None:
    """Run until SIGTERM; what is stored by then is delivered first."""
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        bridge_standard_logging("stream", {})
        run(settings)
    except EndcapError as error:
        report_failure(error)
        sys.exit(error.exit_code)


def run(settings: Settings) -> None:
    """Follow the log of the settings, as soon as no other stream writes the home folder.

    Raises:
        InvalidInput: Kafka's settings cannot be used, or the state does not fit.
        DependencyUnavailable: the port or the state is another process's.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    chosen, registry, jobs = settings.stream, CollectorRegistry(), list[Job]()
    with (
        serving(chosen.host, chosen.port, registry, lambda: any(job.is_ready for job in jobs)),
        sole_writer(settings.outcomes_dir, stop) as is_sole,
    ):
        if is_sole:
            follow(settings, registry, jobs, stop)


def follow(settings: Settings, registry: CollectorRegistry, jobs: list[Job], stop: threading.Event) -> None:
    """Run all of it until `stop` is set.

    Args:
        settings: all settings.
        registry: where it is counted.
        jobs: the one over events is put here.
        stop: ends it.
    """
    outcomes = JournalStore(settings.outcomes_dir, Windows.of(settings.outcomes))
    registry.register(OutcomeCollector(outcomes.totals))
    runs = watched(subscriptions(settings, system_clock, outcomes, settings.stream_dir), settings, system_clock)
    job = Job(settings, runs, registry)
    jobs.append(job)
    with beside_events(settings, outcomes, job.metrics, stop):
        get_logger("stream").info(
            "starts",
            host=settings.stream.host,
            port=settings.stream.port,
            events=settings.events.kafka_bootstrap or str(settings.event_log_dir),
        )
        job.run(stop)


if __name__ == "__main__":
    main()

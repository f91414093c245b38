"""A catalogue of made items, served by all parts beside a load that has warmed them up; what its events left is removed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from endcap.core.settings import Settings
from endcap_benchmarks.events.deployment import Deployment
from endcap_benchmarks.events.options import Options
from endcap_benchmarks.events.scenarios.changed_answer import RESULTS
from endcap_benchmarks.events.stretches import SEND_MODULE, EventStretches
from endcap_benchmarks.events.traces import forget_events
from endcap_benchmarks.serving.benchmark import WARM_UP_SECONDS, made_catalogue
from endcap_benchmarks.serving.home import HomeSize
from endcap_benchmarks.serving.load.process import load_process
from endcap_benchmarks.serving.parts import COLLECTOR_PORT, STREAM_PORT, SUPERVISE, running_parts
from endcap_benchmarks.serving.stage import Stage


@dataclass(frozen=True)
class ByKafka:
    """Attributes:
    bootstrap: Kafka's host:port; its topics are there.
    stream: runs the stream beside a home with its endpoints on a port; None for the one that runs beside the parts by itself.
    """

    bootstrap: str
    stream: Callable[[Path, int], AbstractContextManager[object]] | None = None


@contextmanager
def running_deployment(
    settings: Settings, options: Options, say: Callable[[str], None], kafka: ByKafka | None = None
) -> Iterator[Deployment]:
    """Run it until the body is done.

    Args:
        settings: of the product; beside its home the catalogue is made, once.
        options: how large it is, and the load that warms it up.
        say: takes each step of making it.
        kafka: what events go through; None for the local log.

    Raises:
        EndcapError: the catalogue could not be made, or a part or load process failed.
    """
    catalogue = made_catalogue(settings, HomeSize(options.items, options.users), say)
    own = settings.model_copy(update={"home": catalogue.home})
    forget_events(own)
    with ExitStack() as stack:
        stack.callback(forget_events, own)
        stream = kafka.stream if kafka else None
        command = [*SUPERVISE, "--collector" if stream else "--events"]
        environment = {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": kafka.bootstrap} if kafka else {}
        parts = stack.enter_context(running_parts(catalogue.home, command, environment))
        if stream:
            stack.enter_context(stream(catalogue.home, parts.ports[STREAM_PORT]))
        stage = Stage(parts, catalogue.population, catalogue.items, settings.serving.model_name, "poisson")
        # What watched visits are shown is bought by nobody else: counts of items would change the list too.
        deployment = Deployment(stage, EventStretches(parts.ports[COLLECTOR_PORT], catalogue.population.items[:-RESULTS]))
        _warm_up(deployment, options)
        yield deployment


def _warm_up(deployment: Deployment, options: Options) -> None:
    with load_process(SEND_MODULE, deployment.events.open_loop(options.event_rate, WARM_UP_SECONDS)) as load:
        load.go()
        deployment.stage.open_loop("http", options.predict_rate, WARM_UP_SECONDS)
        load.await_sent()
        load.finish()
    deployment.await_quiet()

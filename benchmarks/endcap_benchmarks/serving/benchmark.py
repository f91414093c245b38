"""The order of a benchmark: for each catalogue its home, its parts, warm-up, and one scenario after another."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from endcap.core.errors import EndcapError
from endcap.core.settings import Settings
from endcap.release.bundle.promotion import served_bundle
from endcap_benchmarks.narrator import Narrator, narrated
from endcap_benchmarks.program import Rows
from endcap_benchmarks.serving.home import HomeSize, home_of
from endcap_benchmarks.serving.load.mix import Population, dataset_population, made_population
from endcap_benchmarks.serving.options import BULK, CACHED, EVENT, LATENCY, OVERLOAD, REFRESH, Options
from endcap_benchmarks.serving.parts import SUPERVISE, running_parts
from endcap_benchmarks.serving.profile import profiled
from endcap_benchmarks.serving.profiled_transformer import PROFILE_VARIABLE
from endcap_benchmarks.serving.scenarios.bulk import bulk
from endcap_benchmarks.serving.scenarios.cached import cached
from endcap_benchmarks.serving.scenarios.next_event import next_event
from endcap_benchmarks.serving.scenarios.overload import overload
from endcap_benchmarks.serving.scenarios.refresh import refresh
from endcap_benchmarks.serving.scenarios.steady import one_client, steady
from endcap_benchmarks.serving.stage import Stage

WARM_UP_SECONDS = 5.0
PROFILED = "endcap_benchmarks.serving.profiled_transformer"
PROFILE_NAME = "profile.json"
REFRESH_WINDOWS = 4
REFRESH_EVERY_SECONDS = 2.0
CLIENTS = (1, 4)


@dataclass(frozen=True)
class Measure:
    """One scenario, named for the progress bar."""

    name: str
    run: Callable[[Stage], dict[str, Any]]


@dataclass(frozen=True)
class Catalogue:
    """A home that can be served, and whom its requests come from."""

    items: int
    home: Path
    population: Population


def run_benchmark(settings: Settings, options: Options) -> Rows:
    """Measure everything that is asked for; one row of figures a run, as it ends.

    Raises:
        EndcapError: a part or the load process failed.
    """
    sizes = [0] if options.promoted else sorted(options.items)
    plans = {items: measures(settings, options, largest=items == sizes[-1]) for items in sizes}
    with narrated(sum(len(plan) + 3 for plan in plans.values())) as narrator:
        for items, plan in plans.items():
            yield from _measured(settings, options, items, plan, narrator)


def measures(settings: Settings, options: Options, *, largest: bool) -> list[Measure]:
    """What is measured on one catalogue; all but the steady load on the largest only."""
    if options.profile:
        return [Measure("profile", lambda stage: profiled(stage, stage.parts.home / PROFILE_NAME, options.rate, options.seconds))]
    budget_ms, seconds = settings.serving.request_budget_ms, options.short_seconds
    found: list[Measure] = []
    if LATENCY in options.scenarios:
        found += [
            Measure(f"steady load, {protocol}", partial(steady, protocol=protocol, rate=options.rate, seconds=options.seconds))
            for protocol in options.protocols
        ]
        found.append(Measure("one client", partial(one_client, seconds=seconds)))
    if largest and REFRESH in options.scenarios:
        run = partial(
            refresh,
            rate=options.rate,
            windows=REFRESH_WINDOWS,
            window_seconds=seconds,
            every_seconds=min(REFRESH_EVERY_SECONDS, seconds / 2),
        )
        found.append(Measure("item table refresh", run))
    if largest and CACHED in options.scenarios:
        found += [
            Measure(f"answers from cache, {clients} clients", partial(cached, seconds=seconds, clients=clients)) for clients in CLIENTS
        ]
    if largest and EVENT in options.scenarios:
        found.append(Measure("the next event", partial(next_event, settings=settings)))
    if largest and BULK in options.scenarios:
        found.append(Measure("bulk lists beside shoppers", partial(bulk, rate=options.rate / 2, seconds=seconds)))
    if largest and OVERLOAD in options.scenarios:
        run = partial(overload, first_rate=options.rate, step_seconds=seconds / 2, seconds=seconds, deadline_ms=budget_ms)
        found.append(Measure("overload", run))
    return found


def _measured(settings: Settings, options: Options, items: int, plan: Sequence[Measure], narrator: Narrator) -> Iterator[dict[str, Any]]:
    with narrator.step(f"{items or 'promoted'} items: home"):
        catalogue = _promoted(settings) if options.promoted else made_catalogue(settings, HomeSize(items, options.users), narrator.say)
    with ExitStack() as stack:
        with narrator.step(f"{catalogue.items:,} items: starting all parts"):
            parts = stack.enter_context(running_parts(catalogue.home, *_how(options, catalogue.home)))
        stage = Stage(parts, catalogue.population, catalogue.items, settings.serving.model_name, options.arrivals)
        with narrator.step(f"{catalogue.items:,} items: warm-up"):
            stage.open_loop("http", options.rate, WARM_UP_SECONDS)
        for measure in plan:
            with narrator.step(f"{catalogue.items:,} items: {measure.name}"):
                yield measure.run(stage)


def _how(options: Options, home: Path) -> tuple[Sequence[str], Mapping[str, str]]:
    """Command and environment of the parts."""
    if not options.profile:
        return SUPERVISE, {}
    return [*SUPERVISE, "--transformer", PROFILED], {PROFILE_VARIABLE: str(home / PROFILE_NAME)}


def _promoted(settings: Settings) -> Catalogue:
    items = served_bundle(settings.served_dir).manifest.item_count
    return Catalogue(items, settings.home.absolute(), dataset_population(settings))


def made_catalogue(settings: Settings, size: HomeSize, say: Callable[[str], None]) -> Catalogue:
    """Make what is missing of a benchmark's own home, in a process of its own: TensorFlow would stay in memory, and Milvus must start in a
    main thread.

    Args:
        settings: of the product.
        size: what the home holds.
        say: takes each step that takes its time.

    Raises:
        EndcapError: it could not be made.
    """
    command = [sys.executable, "-m", "endcap_benchmarks.serving.home", "--items", str(size.items), "--users", str(size.users)]
    home = home_of(settings, size.items)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "making.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        with process:
            for line in process.stdout or ():
                say(line.strip())
    if process.returncode != 0:
        raise EndcapError(f"the home of {size.items:,} items could not be made", field=str(home), fix=f"see {log.name}")
    return Catalogue(size.items, home, made_population(size))

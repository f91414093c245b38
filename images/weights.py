"""`python -m images.weights`: what each image weighs, as installed by its own Dockerfile: disk, start, memory.

No container engine is needed, but root's right to mount (images/private_root.py). The base image and Java are not counted.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from images.dry_build import DryBuild, dry_build, package_cache
from images.private_root import why_not
from tests.images.served_transformer import served_transformer

REPEATS = 5
LARGEST = 5
STARTS = {
    "transformer": "import endcap_transformer.server.server, pymilvus, endcap.features.store.quick_import as q; q.import_feast()",
    "collector": "import endcap_collector.app, uvicorn, uvloop, confluent_kafka",
    "stream": "import runpy; runpy.run_module('endcap_stream', run_name='imported')",
    "rollout-operator": "import runpy; runpy.run_module('endcap_rollout_operator', run_name='imported')",
    "pipeline": "import kfp.dsl.executor_main, endcap_components.train_ranker.train",
    "spark": "import endcap.features.spark.job, pyspark.sql, ibis",
}
"""What a process of each image imports before it works."""
MESSAGES = {
    "endcap's own": "from endcap.core.tensorflow_serving.messages import serving_messages; serving_messages()",
    "tensorflow-serving-api's": "from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc, get_model_status_pb2",
}
RESIDENT = "; print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmRSS')))"


@dataclass(frozen=True)
class Start:
    """A process that imports something and ends: its least CPU seconds, and the memory it held then."""

    cpu_seconds: float
    resident_mb: float


def main() -> int:
    """Print the tables; of the images that are named, or of all."""
    if why_not():
        print(why_not())
        return 1
    print("| image | packages | installed MB | largest, MB | imports, CPU s | resident MB |\n| --- | --- | --- | --- | --- | --- |")
    messages: list[str] = []
    transformers_own: set[str] = set()
    for image in sys.argv[1:] or list(STARTS):
        with built(image) as build:
            print(image_row(image, build), flush=True)
            if image == "transformer":
                transformers_own = set(installed(build))
                messages.append(messages_row("endcap's own", set(), build))
                messages.append(f"\nThe transformer, serving 2,000 items with every stage: {serving_mb(build):.0f} MB resident.")
            if image == "pipeline" and transformers_own:
                added = needed_by("tensorflow-serving-api", installed(build)) - transformers_own
                messages.insert(1, messages_row("tensorflow-serving-api's", added, build))
    print("\n| messages | installed on top, MB | imports, CPU s | resident MB |\n| --- | --- | --- | --- |", *messages, sep="\n")
    return 0


@contextmanager
def built(image: str) -> Iterator[DryBuild]:
    """An image for as long as the body lasts."""
    with tempfile.TemporaryDirectory(prefix="endcap-image-") as folder:
        yield dry_build(image, Path(folder), package_cache())


def image_row(image: str, build: DryBuild) -> str:
    packages = {name: installed_mb(package) for name, package in installed(build).items()}
    largest = sorted(packages.items(), key=lambda package: -package[1])[:LARGEST]
    named = ", ".join(f"{name} {size:.0f}" for name, size in largest)
    start = measured_start(build, STARTS[image])
    return f"| {image} | {len(packages)} | {sum(packages.values()):.0f} | {named} | {start.cpu_seconds:.2f} | {start.resident_mb:.0f} |"


def messages_row(whose: str, added: set[str], build: DryBuild) -> str:
    """What TensorFlow Serving's messages cost a client that needs packages added for them."""
    packages = installed(build)
    start = measured_start(build, MESSAGES[whose])
    return f"| {whose} | {sum(installed_mb(packages[name]) for name in added):.0f} | {start.cpu_seconds:.2f} | {start.resident_mb:.0f} |"


def serving_mb(build: DryBuild) -> float:
    with tempfile.TemporaryDirectory() as shared, served_transformer(build, Path(shared)) as (_, process):
        said = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in said.splitlines() if line.startswith("VmRSS"))) / 1024


def installed(build: DryBuild) -> dict[str, Distribution]:
    """The packages of an image's environment."""
    folders = [str(folder) for folder in build.root.inside("/opt/venv/lib").glob("python*/site-packages")]
    return {canonicalize_name(package.metadata["Name"]): package for package in distributions(path=folders)}


def installed_mb(package: Distribution) -> float:
    """The size of a package's files and of what they were compiled to."""
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    compiled = [path for file in files if file.suffix == ".py" for path in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc")]
    return sum(path.stat().st_size for path in {*files, *compiled} if path.is_file()) / 1e6


def needed_by(name: str, there: Mapping[str, Distribution]) -> set[str]:
    """A package and all that it requires, of those that are installed."""
    found: set[str] = set()
    left = [name]
    while left:
        name = left.pop()
        if name in there and name not in found:
            found.add(name)
            required = [Requirement(said) for said in there[name].requires or ()]
            left += [canonicalize_name(one.name) for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def measured_start(build: DryBuild, imports: str) -> Start:
    """A process that imports something, several times. CPU time, since a busy machine changes it least; the least, since caches fill."""
    seconds, resident = [], []
    command = build.starting(["python", "-W", "ignore", "-c", imports + RESIDENT])
    for _ in range(REPEATS):
        before = children_cpu_seconds()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(children_cpu_seconds() - before)
        resident.append(int(done.stdout.split()[-1]) / 1024)
    return Start(min(seconds), statistics.median(resident))


def children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())

"""What is lost and won by serving a student or smaller numbers: `python -m endcap_benchmarks.micro.serving_models --run DIR --work DIR`.

DIR holds what a run of the training pipeline left: `training`, `tables` and `two_tower`, or the folders of its steps with these inside.
Rankers are trained into the work folder once, and every one is exported in every precision. The evaluated users are those of the pipeline's
own evaluation; latencies are of SavedModel signatures on one thread, all variants in turn. Processor time stands beside latency: it says
the same on a busy machine.
"""

import argparse
import itertools
import json
import os
import platform
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import EndcapError, InvalidInput

CANDIDATES = 1_000
PRECISIONS = ("float32", "float16", "bfloat16", "int8")
TEACHER, STUDENT, UNTAUGHT = "teacher, 3 members", "student of 3 members", "student's network, labels alone"
RANKERS: dict[str, dict[str, Any]] = {"teacher, 1 member": {"members": 1}, TEACHER: {"members": 3}}
STUDENTS: dict[str, dict[str, Any]] = {STUDENT: {}, UNTAUGHT: {"soft_share": 0.0}}
STEPS = {"training": "build-training-set", "tables": "build-tables", "two_tower": "train-two-tower"}
SEED = 20_171_204
WARM_UP_CALLS = 20
K = 10


@dataclass(frozen=True)
class Variant:
    """One model in one precision, and where it lies."""

    model: str
    precision: str
    folder: Path


def main() -> int:
    """Train, export, judge, time, print and write."""
    options = _parsed()
    os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        artifacts = {name: _artifact(options.run, name) for name in STEPS}
        variants = list(_exported(artifacts, options.work))
        rows = [asdict(variant) | _in_a_process(_weight, variant.folder) for variant in variants]
        for measured in (_in_a_process(_quality, artifacts, options.work, variants), _latency(variants, options.repetitions)):
            rows = [row | more for row, more in zip(rows, measured, strict=True)]
    except EndcapError as error:
        print(f"error {error}", file=sys.stderr)
        return error.exit_code
    document = {"machine": _machine(), "candidates": CANDIDATES, "repetitions": options.repetitions, "rows": [_public(row) for row in rows]}
    if options.out is not None:
        options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(table(document["rows"]))
    return 0


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table."""
    head: tuple[str, ...] = (
        "model",
        "weights",
        "NDCG@10",
        "new",
        "loss to teacher",
        "loss to own float32",
        "rank p50 / p99 ms",
        "encode p50 / p99 ms",
    )
    head += ("rank CPU ms", "encode CPU ms", "MB", "load s", "memory MB")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        cells = (
            row["model"],
            row["precision"],
            f"{row['ndcg_all']:.4f}",
            f"{row['ndcg_new']:.4f}",
            _interval(row["loss_to_teacher"]),
            _interval(row["loss_to_own_float32"]),
            f"{row['rank_p50_ms']:.2f} / {row['rank_p99_ms']:.2f}",
            f"{row['encode_p50_ms']:.2f} / {row['encode_p99_ms']:.2f}",
            f"{row['rank_cpu_ms']:.2f}",
            f"{row['encode_cpu_ms']:.2f}",
            f"{row['size_mb']:.1f}",
            f"{row['load_s']:.2f}",
            f"{row['memory_mb']:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(loss: Mapping[str, float]) -> str:
    return f"{loss['mean']:+.4f} [{loss['low']:+.4f}, {loss['high']:+.4f}]"


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m endcap_benchmarks.micro.serving_models", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="artifacts of a run")
    parser.add_argument("--work", type=Path, required=True, help="where rankers are trained and models exported; kept")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--repetitions", type=int, default=300, help="calls of each signature of each variant")
    return parser.parse_args()


def _artifact(run: Path, name: str) -> Path:
    for folder in (run / name, run / STEPS[name] / name):
        if folder.is_dir():
            return folder.absolute()
    raise InvalidInput("has no such artifact", field="--run", value=name, fix="give a run whose steps were all computed: --force")


def _exported(artifacts: Mapping[str, Path], work: Path) -> Iterator[Variant]:
    work.mkdir(parents=True, exist_ok=True)
    rankers = {name: _in_a_process(_ranker, artifacts, work, name) for name in (*RANKERS, *STUDENTS)}
    for name, ranker in rankers.items():
        for precision in PRECISIONS if name != UNTAUGHT else PRECISIONS[:1]:
            folder = work / "exported" / f"{_slug(name)}-{precision}"
            if not folder.is_dir():
                _in_a_process(_export, artifacts["two_tower"], ranker, folder, precision)
            yield Variant(name, precision, folder)


def _ranker(artifacts: Mapping[str, Path], work: Path, name: str) -> Path:
    """The trained ranker of this name; one that is there already is kept."""
    from endcap.core.settings import RetrievalSettings
    from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
    from endcap_components.distil_ranker.step import Taught, distil_ranker
    from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
    from endcap_components.train_ranker.step import train_ranker

    out, quotas = work / _slug(name), RetrievalSettings()
    if out.is_dir():
        return out
    if name in RANKERS:
        folders = (artifacts["training"], artifacts["tables"], artifacts["two_tower"])
        train_ranker(*folders, out, parameters=RankerHyperparameters.of(RANKERS[name]), quotas=quotas, seed=SEED)
    else:
        taught = Taught(**artifacts, teacher=work / _slug(TEACHER))
        distil_ranker(taught, out, parameters=DistillationHyperparameters(**STUDENTS[name]), quotas=quotas, seed=SEED)
    return out


def _export(two_tower: Path, ranker: Path, folder: Path, precision: str) -> None:
    from endcap_components.export_bundle.precision import Precision
    from endcap_components.export_bundle.saved_model import export_saved_model

    export_saved_model(two_tower / "saved_model", ranker / "saved_model", "endcap_1", folder, precision=Precision.of(precision))


def _quality(artifacts: Mapping[str, Path], work: Path, variants: Sequence[Variant]) -> list[dict[str, Any]]:
    """NDCG@10 of every variant's own candidates and ranking, and paired differences over users."""
    from endcap.training.training_set import TrainingSet
    from endcap_components.evaluate.evaluated_users import EvaluatedUsers

    users = EvaluatedUsers.of(TrainingSet(artifacts["training"]), users_max=100_000, seed=SEED)
    gains = {(each.model, each.precision): _gains(artifacts, work, each, users) for each in variants}
    made = []
    for each in variants:
        own = gains[each.model, each.precision]
        differences = {"loss_to_teacher": gains[TEACHER, "float32"], "loss_to_own_float32": gains[each.model, "float32"]}
        losses = {name: _loss(other["all"], own["all"]) for name, other in differences.items()}
        losses["loss_to_teacher_new"] = _loss(gains[TEACHER, "float32"]["new"], own["new"])
        made.append({f"ndcg_{truth}": float(values.mean()) for truth, values in own.items()} | losses | {"users": len(own["all"])})
    return made


def _gains(artifacts: Mapping[str, Path], work: Path, variant: Variant, users: Any) -> dict[str, NDArray[np.float64]]:
    """NDCG@10 by user: on all purchases, and on items new to the user."""
    from endcap.core.settings import RetrievalSettings
    from endcap.evaluation.accuracy import accuracy
    from endcap.training.moment_tables import TablesArtifact
    from endcap.training.scoring import RankerArtifact, TwoTowerArtifact
    from endcap.training.training_set import TrainingSet
    from endcap_components.evaluate.model_scores import Queries, ranked_candidates
    from endcap_components.export_bundle.precision_check import exported_artifact

    with exported_artifact(variant.folder, artifacts["two_tower"], work / _slug(variant.model)) as folder:
        training, tables = TrainingSet(artifacts["training"]), TablesArtifact(artifacts["tables"])
        queries = Queries.of(users.states, training, TwoTowerArtifact(folder))
        rank = RankerArtifact(folder).signature
        ranked = ranked_candidates(
            users.states, users.eligible, queries, training=training, tables=tables, rank=rank, quotas=RetrievalSettings()
        )
    scores, bought = ranked.scores, users.bought
    made = {}
    for truth, judged, lists in (
        ("all", users.truth, scores.lists(K)),
        ("new", users.truth.without(bought), scores.new_to_user(bought).lists(K)),
    ):
        some = judged.counts > 0
        made[truth] = accuracy(lists.hits(judged)[some], judged.counts[some], K)["ndcg"]
    return made


def _loss(reference: NDArray[np.float64], own: NDArray[np.float64]) -> dict[str, float]:
    from endcap.evaluation.bootstrap import Resamples

    return asdict(Resamples(len(own), SEED).means((reference - own)[:, None])[0])


def _weight(folder: Path) -> dict[str, float]:
    """Size on disk, and what a fresh process needs to load a model and answer once with each signature."""
    import psutil
    import tensorflow as tf

    _one_thread()
    process = psutil.Process()
    before, started = process.memory_info().rss, time.perf_counter()
    model = tf.saved_model.load(str(folder))
    loaded_s = time.perf_counter() - started
    for name, signature in model.signatures.items():
        signature(**_request(name, signature))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"size_mb": size / 1e6, "load_s": loaded_s, "memory_mb": (process.memory_info().rss - before) / 1e6}


def _latency(variants: Sequence[Variant], repetitions: int) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = _in_a_process(_timed, [variant.folder for variant in variants], repetitions)
    return rows


def _timed(folders: Sequence[Path], repetitions: int) -> list[dict[str, float]]:
    """Milliseconds of both signatures, and of the processor; each round calls every variant once, in another order."""
    import tensorflow as tf

    _one_thread()
    models = [tf.saved_model.load(str(folder)) for folder in folders]
    names = {"encode": "encode_query", "rank": "rank"}
    requests = {short: _request(name, models[0].signatures[name]) for short, name in names.items()}
    times: dict[tuple[int, str], list[tuple[float, float]]] = {key: [] for key in itertools.product(range(len(models)), names)}
    order, rng = list(times), random.Random(SEED)
    for _ in range(WARM_UP_CALLS + repetitions):
        rng.shuffle(order)
        for number, short in order:
            signature = models[number].signatures[names[short]]
            started, busy = time.perf_counter(), time.process_time()
            outputs = signature(**requests[short])
            outputs["buy" if short == "rank" else "embedding"].numpy()
            times[number, short].append((time.perf_counter() - started, time.process_time() - busy))
    measured: list[dict[str, float]] = [{} for _ in models]
    for (number, short), pairs in times.items():
        wall_ms, busy_ms = np.array(pairs[WARM_UP_CALLS:]).T * 1000
        figures = {"p50": np.percentile(wall_ms, 50), "p99": np.percentile(wall_ms, 99), "cpu": np.median(busy_ms)}
        measured[number] |= {f"{short}_{name}_ms": float(value) for name, value in figures.items()}
    return measured


def _request(name: str, signature: Any) -> dict[str, Any]:
    """One query, for `rank` with CANDIDATES candidates, of random numbers: the graph does the same for any."""
    import tensorflow as tf

    from endcap_components.export_bundle.saved_model import zeros_of

    rng, made = np.random.default_rng(SEED), {}
    for key, spec in signature.structured_input_signature[1].items():
        zeros = zeros_of(key, spec, name)
        if key in ("item_index", "history"):
            zeros = rng.integers(1, 5_000, zeros.shape).astype(zeros.dtype)
        elif zeros.dtype == np.float32:
            zeros = np.abs(rng.normal(size=zeros.shape)).astype(np.float32)
        made[key] = tf.constant(zeros)
    return made


def _one_thread() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _in_a_process(function: Any, *arguments: Any) -> Any:
    """In a process of its own, so that no TensorFlow is set up twice and memory is of one thing only."""
    with _fresh_process() as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def _fresh_process() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without the folder, which is of one machine."""
    return {name: value for name, value in row.items() if name != "folder"}


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "load_average": os.getloadavg()}


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


if __name__ == "__main__":
    sys.exit(main())

"""What the source left_in_cart and the features of views and carts are worth on a made shop: NDCG@10 of people the ranker never saw.

    python -m endcap_benchmarks.micro.left_in_cart --seeds 3

The shop is made, so the figures say that the parts work together, not what a shop will gain. The two-tower is left out, so that the arms
differ in nothing else.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endcap.core.settings import RetrievalSettings
from endcap.features.columns import ITEM_NUMERIC, ITEM_SIGNALS, PAIR_NUMERIC, USER_NUMERIC, USER_SIGNALS
from endcap.features.computing import build_feature_tables
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_benchmarks.synthetic.made_visits import write_visits
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from endcap_components.train_ranker.examples import RankingExamples, ranking_examples
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.negatives import KeptShares
from endcap_components.train_ranker.train import fit_ranker, predict_logits

PEOPLE, ITEMS, WEEKS = 400, 360, 24
DIM, K = 4, 10
QUOTAS = RetrievalSettings(two_tower_quota=0, item_to_item_quota=60, buy_again_quota=60, popular_quota=60, left_in_cart_quota=30)
PARAMETERS = RankerHyperparameters(epochs=2, steps_min=300, members=1, held_out_share=0.3)
OF_SIGNALS = ("views", "days_since_viewed", "carts", "in_cart", "left_in_cart_score")
NO_FEATURES = (OF_SIGNALS, USER_SIGNALS, ITEM_SIGNALS)
ARMS = {
    "neither": (0, NO_FEATURES),
    "source": (30, (tuple(name for name in OF_SIGNALS if name != "left_in_cart_score"), USER_SIGNALS, ITEM_SIGNALS)),
    "features": (0, ((), (), ())),
    "both": (30, ((), (), ())),
}
"""By name, the source's quota, and the columns of pair, user and item that are blank."""


class NoTower:
    """Stands in for a two-tower that knows nothing."""

    def encode(self, states: Sequence[object], _context: NDArray[np.int32]) -> NDArray[np.float32]:
        return np.zeros((len(states), DIM), dtype=np.float32)

    def item_embeddings_at(self, _moment: datetime) -> NDArray[np.float32]:
        return np.zeros((ITEMS + 1, DIM), dtype=np.float32)


def blank(examples: RankingExamples, names: tuple[tuple[str, ...], ...]) -> RankingExamples:
    """The same with columns of pair, user and item set to 0."""
    tables = [examples.pair_numeric.copy(), examples.user_numeric.copy(), examples.item_numeric.copy()]
    for table, known, gone in zip(tables, (PAIR_NUMERIC, USER_NUMERIC, ITEM_NUMERIC), names, strict=True):
        table[:, [known.index(name) for name in gone]] = 0
    return replace(examples, pair_numeric=tables[0], user_numeric=tables[1], item_numeric=tables[2])


def ndcg(examples: RankingExamples, logits: NDArray[np.float32], queries: NDArray[np.int64], truths: NDArray[np.int64]) -> float:
    """Mean NDCG@K of queries with a purchase; what was bought and is no candidate counts as missed."""
    discount = 1 / np.log2(np.arange(2, K + 2))
    values, place = [], 0
    for query in queries:
        start, end = examples.start[query], examples.start[query + 1]
        order = np.argsort(-logits[place : place + end - start], kind="stable")[:K]
        place += end - start
        if truths[query]:
            gained = examples.labels[start:end, 0][order] @ discount[: len(order)]
            values.append(gained / discount[: truths[query]].sum())
    return float(np.mean(values))


def truths_of(training: TrainingSet) -> NDArray[np.int64]:
    """int64 [q]: items that each query's user bought within the horizon."""
    counts = []
    for moment in training.manifest.ranking_windows:
        bought = training.labels_at(moment)["user_id"].value_counts()
        known = dict(zip(bought["user_id"], bought["count"], strict=True))
        counts += [known.get(user_id, 0) for user_id in training.users_at(moment).user_ids]
    return np.array(counts)


def measure(folder: Path, seeds: int) -> dict[str, list[float]]:
    """NDCG@K by arm, a figure a seed."""
    data = write_visits(folder / "data", PEOPLE, ITEMS, WEEKS, seed=0)
    build_feature_tables(data, folder / "features")
    build_training_set(data, folder / "features", folder / "training", min_buyers=1)
    build_tables(folder / "training", folder / "tables")
    training, tables = TrainingSet(folder / "training"), TablesArtifact(folder / "tables")
    truths = truths_of(training)
    found: dict[str, list[float]] = {}
    for name, (quota, gone) in ARMS.items():
        quotas = QUOTAS.model_copy(update={"left_in_cart_quota": quota})
        for seed in range(seeds):
            made = ranking_examples(
                training,
                tables,
                NoTower(),  # type: ignore[arg-type]
                quotas,
                queries_max=PARAMETERS.queries_max,
                kept=KeptShares(0.5, 0.25),
                held_out_share=PARAMETERS.held_out_share,
                seed=seed,
            )
            examples = blank(made, gone)
            judged = np.flatnonzero(examples.held_out)
            model, _, _ = fit_ranker(examples, [len(each) for each in training.user_vocabularies.values()], PARAMETERS, seed)
            found.setdefault(name, []).append(ndcg(examples, predict_logits(model, examples, judged)[:, 0], judged, truths))
            print(f"{name} seed {seed}: {found[name][-1]:.4f}", flush=True)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), parser.parse_args().seeds)
    for name, values in found.items():
        print(f"| {name} | {np.mean(values):.4f} | {np.std(values):.4f} |")


if __name__ == "__main__":
    main()

"""Whatever a shop's data looks like, the steps make models and tables that load, or the first of them says in one sentence why not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from endcap.contracts.evaluation import Evaluation
from endcap.contracts.signatures import ENCODE_QUERY, RANK
from endcap.contracts.training_plan import TrainingPlan
from endcap.core.errors import EndcapError
from endcap.core.settings import RetrievalSettings, Settings
from endcap.dataset.layout import open_dataset
from endcap.evaluation.as_shown import home_surface
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.tables import read_tables
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact, load_signature
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from endcap_components.evaluate.served_order import OrderLimits
from endcap_components.evaluate.step import Artifacts, JudgedBy, evaluate_step
from endcap_components.export_bundle.step import ExportInputs, export_bundle_step
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.step import train_ranker
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.step import train_two_tower
from endcap_components.validate_data.step import validate_data_step
from tests.journeys.shops import SHOPS, START, Catalogue, Line, looks, shoppers, write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(600)]

QUOTAS = RetrievalSettings(two_tower_quota=20, item_to_item_quota=20, buy_again_quota=20, popular_quota=20, candidates_max=40)
SEED = 3
TWO_TOWER = TwoTowerHyperparameters.of({"dim": 8, "next_item": {"dim": 8, "epochs": 1, "members": 1}})
RANKER = RankerHyperparameters(epochs=1, steps_min=1, hidden=(8,), members=1, user_width=4, item_width=4, cross_layers=1)

Make = Callable[[Path], Path]


def squeezed(lines: list[Line], factor: float) -> list[Line]:
    """The same in less time."""
    return [replace(line, at=START + (line.at - START) / factor) for line in lines]


def with_a_gap(lines: list[Line]) -> list[Line]:
    """Nothing is bought in the months between the first half and the second."""
    middle = START + timedelta(weeks=13)
    return [replace(line, at=line.at + timedelta(weeks=20)) if line.at > middle else line for line in lines]


def _look(at: datetime) -> Line:
    return Line("u000", "i000", at, "look", "product_view")


ODD: dict[str, Make] = {
    "one purchase": lambda folder: write_dataset(folder, shoppers()[:1]),
    "one item": lambda folder: write_dataset(folder, [replace(line, item="i000") for line in shoppers()], Catalogue(items=1)),
    "one person": lambda folder: write_dataset(folder, [line for line in shoppers() if line.user == "u001"]),
    "one category": lambda folder: write_dataset(folder, shoppers(seed=11), Catalogue(categories=1, levels=1, brands=1)),
    "nothing known of the items": lambda folder: write_dataset(folder, shoppers(seed=12), Catalogue(levels=0, brands=0, prices=False)),
    "one day": lambda folder: write_dataset(folder, squeezed(shoppers(users=30), 500)),
    "one instant": lambda folder: write_dataset(folder, [replace(line, at=START) for line in shoppers(users=30)]),
    "a week": lambda folder: write_dataset(folder, squeezed(shoppers(users=80, weeks=8), 7)),
    "all alike": lambda folder: write_dataset(folder, [Line(f"u{n}", "i000", START + timedelta(days=n), f"v{n}") for n in range(90)]),
    "a gap of months": lambda folder: write_dataset(folder, with_a_gap(shoppers(seed=13))),
    "bought on one side only": lambda folder: write_dataset(folder, [*shoppers(weeks=4), _look(START + timedelta(weeks=30))]),
    "fewer items than a list": lambda folder: write_dataset(folder, shoppers(items=6, seed=14), Catalogue(items=6)),
    "views only": lambda folder: write_dataset(folder, looks()),
    "no repeats": lambda folder: write_dataset(folder, [replace(line, user=line.visit) for line in shoppers(seed=15)]),
}


@dataclass(frozen=True)
class Made:
    """What the steps up to the models left."""

    folder: Path
    plan: TrainingPlan

    @property
    def training(self) -> TrainingSet:
        return TrainingSet(self.folder / "training")

    @property
    def artifacts(self) -> Artifacts:
        return Artifacts(*(self.folder / name for name in ("training", "tables", "two_tower", "ranker")))


def run_steps(dataset: Path, folder: Path, ranker: RankerHyperparameters = RANKER) -> Made:
    """Every step from validate_data to train_ranker, in this process."""
    done = validate_data_step(dataset, open_dataset(dataset).fingerprint, folder / "dataset", folder / "plan")
    made = Made(folder, done.plan)
    build_feature_tables(folder / "dataset", folder / "features", FeatureOptions.of(done.plan.times, done.plan.signals))
    build_training_set(folder / "dataset", folder / "features", folder / "training", plan=done.plan)
    build_tables(folder / "training", folder / "tables", neighbours=10)
    train_two_tower(folder / "training", folder / "two_tower", TWO_TOWER, SEED)
    artifacts = made.artifacts
    train_ranker(artifacts.training, artifacts.tables, artifacts.two_tower, artifacts.ranker, parameters=ranker, quotas=QUOTAS, seed=SEED)
    return made


def check_models(made: Made) -> None:
    """All moments have tables and embeddings, and both signatures are there, whatever was trained."""
    training, tables, tower = made.training, TablesArtifact(made.folder / "tables"), TwoTowerArtifact(made.folder / "two_tower")
    manifest = training.manifest
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        assert tables.at(moment).ease.is_empty == (made.plan.objective != "next_item")
        embeddings = tower.item_embeddings_at(moment)
        assert np.isfinite(embeddings).all()
        np.testing.assert_allclose(np.linalg.norm(embeddings[1:], axis=1), 1.0, rtol=1e-4)
    assert len(tables.at(manifest.data_end).popularity.candidates([], 10).index) > 0
    tables.served_at(manifest.data_end)
    load_signature(made.folder / "two_tower" / "saved_model", ENCODE_QUERY)
    load_signature(made.folder / "ranker" / "saved_model", RANK)


def judged(made: Made, limits: OrderLimits) -> Evaluation:
    """The models against baselines."""
    judged_by = JudgedBy(QUOTAS, limits, home_surface({}), SEED)
    return evaluate_step(made.artifacts, made.folder / "evaluation", made.folder / "report.html", judged_by)


def exported(made: Made) -> Bundle:
    """What was judged, as a bundle that was opened again."""
    artifacts = made.artifacts
    inputs = ExportInputs(
        artifacts.training,
        artifacts.tables,
        artifacts.two_tower,
        artifacts.ranker,
        made.folder / "evaluation",
        quotas=QUOTAS.model_dump(),
        run_id="made",
    )
    export_bundle_step(inputs, made.folder / "bundle", Settings(home=made.folder / "home"), lambda: START)
    return open_bundle(made.folder / "bundle")


def check_bundle(made: Made) -> None:
    """Judged and exported, it loads."""
    evaluation = judged(made, OrderLimits(0.0, 0.0))
    assert bool(evaluation.truths) == bool(made.plan.facts.people_judged)
    assert np.isfinite(list(evaluation.flat().values())).all()
    bundle = exported(made)
    assert bundle.manifest.untrained == made.plan.left_out()
    served = read_tables(bundle.path)
    assert len(served.items) == made.plan.facts.items + 1
    assert served.ease.is_empty == (made.plan.objective != "next_item")


IN_EVERY_RUN = {"tills", "long tail", "one person", "one instant"}
"""Those of `make test`, whose journeys have items of which nothing is known; `make test-journeys` takes all."""


@pytest.mark.parametrize(
    "shape", [pytest.param(name, marks=() if name in IN_EVERY_RUN else pytest.mark.journeys) for name in [*SHOPS, *ODD]]
)
def test_every_shape_ends_in_a_bundle_or_one_sentence(shape: str, tmp_path: Path) -> None:
    make = SHOPS.get(shape) or ODD[shape]
    made = run_steps(make(tmp_path / "shop"), tmp_path / "run")
    check_models(made)
    check_bundle(made)


def test_without_purchases_and_views_the_first_step_says_so(tmp_path: Path) -> None:
    with pytest.raises(EndcapError, match=r"there are no purchases, views, carts and ratings .*so nothing can be recommended") as told:
        run_steps(write_dataset(tmp_path / "shop", [replace(_look(START), kind="page_view")]), tmp_path / "run")
    assert told.value.fix
    assert not (tmp_path / "run").exists()

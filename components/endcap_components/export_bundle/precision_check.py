"""Does a smaller number format hold? The exported model's lists for real users, against those of the float32 models."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.evaluation import RANKER, Ordering
from endcap.contracts.signatures import RANK
from endcap.core.errors import BundleRefused
from endcap.core.settings import RetrievalSettings
from endcap.evaluation.accuracy import accuracy
from endcap.evaluation.user_items import UserItems, pair_keys
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact, load_signature
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.evaluated_users import EvaluatedUsers
from endcap_components.evaluate.model_scores import Queries, RankedCandidates, ranked_candidates
from endcap_components.evaluate.served_order import RetrievalChoice
from endcap_components.evaluate.step import Artifacts
from endcap_components.export_bundle.precision import Precision

SAVED_MODEL = "saved_model"


@contextmanager
def exported_artifact(exported: Path, two_tower_dir: Path, ranker_dir: Path) -> Iterator[Path]:
    """A folder that is a two-tower's artifact and a ranker's at once: links to the exported model and to what lies beside the trained ones.

    Args:
        exported: a SavedModel with both signatures.
        two_tower_dir, ranker_dir: artifacts of the training steps.
    """
    with TemporaryDirectory(prefix="endcap-exported-") as name:
        folder = Path(name)
        (folder / SAVED_MODEL).symlink_to(exported.absolute())
        for each in (*two_tower_dir.iterdir(), *ranker_dir.iterdir()):
            if each.name != SAVED_MODEL:
                (folder / each.name).symlink_to(each.absolute())
        yield folder


K = 10
USERS_MAX = 500


@dataclass(frozen=True)
class PrecisionLimits:
    """What a smaller format may cost, on users as of the cut.

    Attributes:
        ndcg_loss_max: NDCG@10 on what they bought after the cut; candidates are found anew with the exported query tower.
        overlap_min: share of the float32 lists' first ten that the exported model's first ten keep.
        probability_shift_max: mean absolute difference of a candidate's probability to buy, as a share of the mean probability.
    """

    ndcg_loss_max: float = 0.002
    overlap_min: float = 0.9
    probability_shift_max: float = 0.05


@dataclass(frozen=True)
class PrecisionCost:
    """What it does cost; the fields are those that `PrecisionLimits` bounds."""

    ndcg_loss: float
    overlap: float
    probability_shift: float

    @classmethod
    def of(cls, full: RankedCandidates, exported: RankedCandidates, truth: UserItems) -> "PrecisionCost":
        """Compare two models' ranked candidates of the same users.

        Args:
            full, exported: of the float32 models and of the exported one.
            truth: what the users bought.
        """
        first, second = (each.scores.lists(K) for each in (full, exported))
        users, size = truth.counts > 0, truth.counts
        gain = [accuracy(each.hits(truth)[users], size[users], K)["ndcg"] for each in (first, second)]
        kept = second.hits(_as_pairs(first.items))[first.items[:, 0] > 0]
        return cls(
            float(np.mean(gain[0] - gain[1])), float(kept.sum() / max((first.items > 0).sum(), 1)), _probability_shift(full, exported)
        )

    def demand(self, precision: Precision, limits: PrecisionLimits) -> None:
        """Refuse what costs too much.

        Raises:
            BundleRefused: a limit is broken, or a figure is no number.
        """
        broken = []
        if not self.ndcg_loss <= limits.ndcg_loss_max:
            broken.append(f"NDCG@{K} falls by {self.ndcg_loss:.4f} (at most {limits.ndcg_loss_max:g})")
        if not self.overlap >= limits.overlap_min:
            broken.append(f"lists keep {self.overlap:.3f} of their items (at least {limits.overlap_min:g})")
        if not self.probability_shift <= limits.probability_shift_max:
            broken.append(f"probabilities move by {self.probability_shift:.3f} (at most {limits.probability_shift_max:g})")
        if broken:
            fix = "export with bfloat16, float16 or float32" if precision is Precision.INT8 else "export with float32"
            raise BundleRefused(f"does not hold for these models: {'; '.join(broken)}", field="precision", value=precision.value, fix=fix)


def precision_cost(exported: Path, trained: Artifacts, quotas: RetrievalSettings, ordering: Ordering) -> PrecisionCost:
    """Ask both for the lists of up to USERS_MAX users with purchases on both sides of the cut.

    Args:
        exported: a SavedModel with both signatures.
        trained: of the run, float32.
        quotas: candidates a source, as in serving.
        ordering: what orders the lists; a method has no weights, so with it only candidates can change.
    """
    training, tables = TrainingSet(trained.training), TablesArtifact(trained.tables)
    users = EvaluatedUsers.of(training, USERS_MAX, seed=0)

    by_method = None if ordering.ordered_by == RANKER else load_signature(exported, RANK)
    present = RetrievalChoice(ordering.uses_two_tower, ordering.retrieval_reason).quotas(quotas)

    def ranked(two_tower: Path, ranker: Path) -> RankedCandidates:
        queries = Queries.of(users.states, training, TwoTowerArtifact(two_tower))
        rank = by_method or RankerArtifact(ranker).signature
        value = RankerArtifact(trained.ranker).value
        return ranked_candidates(
            users.states, users.eligible, queries, training=training, tables=tables, rank=rank, quotas=present, value=value
        )

    with exported_artifact(exported, trained.two_tower, trained.ranker) as folder:
        return PrecisionCost.of(ranked(trained.two_tower, trained.ranker), ranked(folder, folder), users.truth)


def _as_pairs(items: NDArray[np.int32]) -> UserItems:
    rows = np.broadcast_to(np.arange(len(items), dtype=np.int64)[:, None], items.shape)
    listed = items > 0
    return UserItems(rows[listed], items[listed], len(items))


def _probability_shift(full: RankedCandidates, exported: RankedCandidates) -> float:
    """Over the candidates that both found."""
    first, second = (pair_keys(each.scores.pairs.user_row, each.scores.pairs.item_index) for each in (full, exported))
    _, in_first, in_second = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    before, after = full.probabilities["buy"][in_first], exported.probabilities["buy"][in_second]
    return float(np.abs(after - before).mean() / before.mean())

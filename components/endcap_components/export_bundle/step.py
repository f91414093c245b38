"""The step export_bundle: models, tables and manifest become one bundle."""

import shutil
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as package_version
from pathlib import Path

from endcap.contracts.evaluation import Evaluation
from endcap.core.clock import Clock
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.core.settings import RetrievalSettings, Settings
from endcap.features.columns import OBJECTIVES
from endcap.release.bundle.manifest import Bundle, seal_bundle
from endcap.release.bundle.tables import BundleTables, write_tables
from endcap.release.index.collection import collection_name
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.step import EVALUATION_NAME, Artifacts
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.precision import Precision
from endcap_components.export_bundle.precision_check import PrecisionLimits, precision_cost
from endcap_components.export_bundle.saved_model import export_saved_model
from endcap_components.export_bundle.similar_users import similar_users_of
from endcap_components.export_bundle.warm_up import write_warm_up


@dataclass(frozen=True)
class ExportInputs:
    """Folders of the run, and what the manifest says of it."""

    training: Path
    tables: Path
    two_tower: Path
    ranker: Path
    evaluation: Path
    quotas: dict[str, int]
    run_id: str
    batching: Batching | None = None
    precision: Precision = Precision.FLOAT32
    precision_limits: PrecisionLimits = field(default_factory=PrecisionLimits)
    uncompared: str = ""


def export_bundle_step(inputs: ExportInputs, out_dir: Path, settings: Settings, clock: Clock) -> Bundle:
    """Write a sealed bundle as of the data's end; it appears under its name only when it is whole.

    Args:
        inputs: of one run.
        out_dir: the folder to write; replaced when it exists.
        settings: the collection's prefix and the served model's name.
        clock: its time becomes the version.

    Raises:
        BundleInvalid: a model lacks a signature, or a file is missing.
        BundleRefused: the models do not hold in the precision asked for.
    """
    now = clock()
    version = int(now.strftime("%Y%m%d%H%M%S"))
    collection = collection_name(settings.milvus.collection_prefix, version)
    training = TrainingSet(inputs.training)
    evaluation = Evaluation.model_validate_json((inputs.evaluation / EVALUATION_NAME).read_bytes())
    with replacing_folder(out_dir) as aside:
        _export_models(inputs, collection, aside)
        write_warm_up(aside, settings.serving.model_name)
        tables = _tables(inputs, training)
        write_tables(aside, tables, training.item_rows)
        bundle = seal_bundle(
            aside,
            version=version,
            created_at=now,
            endcap_version=package_version("endcap"),
            collection=collection,
            embedding_dim=tables.item_embeddings.shape[1],
            item_count=len(tables.items) - 1,
            objectives=list(OBJECTIVES),
            data_start=training.manifest.data_start,
            data_end=training.manifest.data_end,
            cut=training.manifest.cut,
            dataset_fingerprint=training.manifest.dataset_fingerprint,
            quotas=inputs.quotas,
            metrics=evaluation.flat(),
            run_id=inputs.run_id,
            accepted_uncompared=inputs.uncompared or None,
        )
    return Bundle(out_dir, bundle.manifest)


def _export_models(inputs: ExportInputs, collection: str, folder: Path) -> None:
    """Write the SavedModel; a precision that costs more than its limits is refused."""
    models = (inputs.two_tower / "saved_model", inputs.ranker / "saved_model")
    if inputs.precision is not Precision.FLOAT32:
        # Judged without batching, which changes how requests wait and nothing else.
        judged = folder / "judged"
        export_saved_model(*models, collection, judged, precision=inputs.precision)
        trained = Artifacts(inputs.training, inputs.tables, inputs.two_tower, inputs.ranker)
        cost = precision_cost(judged, trained, RetrievalSettings(**inputs.quotas))
        shutil.rmtree(judged)
        get_logger("export_bundle").info("precision judged", precision=inputs.precision.value, **asdict(cost))
        cost.demand(inputs.precision, inputs.precision_limits)
    export_saved_model(*models, collection, folder, inputs.batching, precision=inputs.precision)


def _tables(inputs: ExportInputs, training: TrainingSet) -> BundleTables:
    end = training.manifest.data_end
    artifact, embeddings = TablesArtifact(inputs.tables), TwoTowerArtifact(inputs.two_tower).item_embeddings
    at_end, served = artifact.at(end), artifact.served_at(end)
    return BundleTables(
        items=training.items_at(end),
        user_vocabularies=training.user_vocabularies,
        item_embeddings=embeddings,
        item_to_item=at_end.item_to_item,
        has_neighbours=at_end.item_to_item.has_neighbours(),
        complements=served.complements,
        repurchase_gap_days=at_end.repurchase_gap_days,
        popularity=at_end.popularity,
        trending=served.trending,
        similar_users=similar_users_of(training.users_at(end).states, embeddings, training.eligible_at(end)),
    )

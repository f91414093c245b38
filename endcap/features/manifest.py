"""features.json: what a folder of feature tables holds and what it was made from."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.contracts.tables import TABLES
from endcap.core.errors import DataRejected
from endcap.core.files import replace_text
from endcap.features.columns import HORIZON_DAYS
from endcap.features.snapshots import FeatureOptions

MANIFEST_NAME = "features.json"
DATASET_NAME = "dataset.json"


class FeatureManifest(BaseModel):
    """Times, counts and fingerprints of one build. All moments are UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: str = Field(description="Changes with the dataset, the options and the features' code.")
    dataset_fingerprint: str
    first_event_at: datetime
    last_event_at: datetime
    data_end: datetime = Field(description="First whole second after the last event.")
    cut: datetime = Field(description="Start of the evaluation weeks.")
    ranking_times: tuple[datetime, ...] = Field(description="Starts of the ranker's label windows, oldest first.")
    pair_times: tuple[datetime, ...] = Field(description="Moments with user x item features, oldest first.")
    snapshot_times: tuple[datetime, ...] = Field(description="Moments with user and item features, oldest first.")
    horizon_days: int = Field(HORIZON_DAYS, description="Length of a label window.")
    rows: dict[str, int] = Field(description="Rows by table.")

    def write(self, folder: Path) -> None:
        """Put the manifest into `folder`, which appears there whole."""
        replace_text(folder / MANIFEST_NAME, self.model_dump_json(indent=2) + "\n")


def read_manifest(folder: Path) -> FeatureManifest:
    """Read a feature folder's manifest.

    Raises:
        DataRejected: there is none, or it is not one.
    """
    path = folder / MANIFEST_NAME
    try:
        text = path.read_text()
    except OSError as error:
        raise DataRejected(f"no usable feature tables: {error}", field=str(path), fix="build them: endcap features") from error
    return parse_manifest(text, str(path))


def parse_manifest(text: str, place: str) -> FeatureManifest:
    """A manifest from its text; `place` is where it was read, for the message.

    Raises:
        DataRejected: it is not one.
    """
    try:
        return FeatureManifest.model_validate_json(text)
    except ValidationError as error:
        raise DataRejected(f"no usable feature tables: {error}", field=place, fix="build them: endcap features") from error


def dataset_fingerprint(dataset_dir: Path) -> str:
    """The dataset's own fingerprint; a digest of its tables' bytes when `dataset.json` has none.

    Raises:
        DataRejected: `dataset.json` is no JSON.
    """
    described = dataset_dir / DATASET_NAME
    found = described_fingerprint(described.read_text() if described.is_file() else "")
    if found is not None:
        return found
    digest = hashlib.sha256()
    for name in TABLES:
        path = dataset_dir / f"{name}.parquet"
        if path.exists():
            digest.update(name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def described_fingerprint(described: str) -> str | None:
    """The fingerprint in a dataset.json's text, if there is one.

    Raises:
        DataRejected: the text is no JSON; an empty one is no fingerprint.
    """
    try:
        fields = json.loads(described) if described else None
    except ValueError as error:
        raise DataRejected(f"is no JSON: {error}", field=DATASET_NAME, fix="import it again: endcap import --help") from error
    found = fields.get("fingerprint") if isinstance(fields, dict) else None
    return str(found) if found else None


def features_fingerprint(dataset: str, options: FeatureOptions) -> str:
    """A digest of everything the feature tables follow from: the dataset, the options and the code of this package."""
    digest = hashlib.sha256(dataset.encode())
    digest.update(repr(sorted(asdict(options).items())).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()

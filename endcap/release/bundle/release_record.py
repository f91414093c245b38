"""What the last release was, beside the served folder: a run that changes nothing need not ask every part again."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.core.files import replace_text
from endcap.release.bundle.promotion import served_version

RECORD_NAME = "release.json"


class ReleaseRecord(BaseModel):
    """`release.json`: written last, so it tells of a release that reached every part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(description="The bundle that is served, and the champion.")
    collection: str = Field(description="What the alias points at.")
    run_id: str | None = Field(description="MLflow run that made it.")
    dataset_fingerprint: str
    metrics: dict[str, float] = Field(description="Offline metrics, by the names of the bundle's manifest.")


def read_release(served_dir: Path) -> ReleaseRecord | None:
    """The last release, or None when there was none, when it did not come to its end, or when another bundle is served by now.

    A record that broke off, or is of another version of endcap, says of no part that the release reached it.

    Raises:
        OSError: there is a record, and the disk does not give it.
    """
    try:
        record = ReleaseRecord.model_validate_json((served_dir / RECORD_NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return record if served_version(served_dir) == record.version else None


def write_release(served_dir: Path, record: ReleaseRecord) -> None:
    replace_text(served_dir / RECORD_NAME, record.model_dump_json(indent=1))


def forget_release(served_dir: Path) -> None:
    """Before a release begins: one that breaks off leaves no record."""
    (served_dir / RECORD_NAME).unlink(missing_ok=True)

"""An exported SavedModel in the place of the two trained ones, so that all that judges artifacts judges what is served."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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

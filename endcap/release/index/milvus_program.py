"""Milvus's program out of the `milvus` wheel, where it lies packed."""

import lzma
import shutil
from pathlib import Path

from endcap.core.errors import DependencyUnavailable
from endcap.core.files import replacing_folder
from endcap.core.progress import StepProgress
from endcap.release.index.loopback import bind_to_loopback

_UNPACKED = ".unpacked-2.3.5-loopback"


def unpack_program(target: Path) -> None:
    """Unpack the wheel's program and libraries (about 250 MB) once, and keep the program on 127.0.0.1.

    Raises:
        DependencyUnavailable: the wheel is not installed, or is a build this code does not know.
    """
    if (target / _UNPACKED).is_file():
        return
    packed = sorted((_wheel_folder() / "bin").glob("*.lzma"))
    with replacing_folder(target) as aside, StepProgress() as progress:
        task = progress.add_task("Unpacking Milvus", total=len(packed))
        for source in packed:
            unpacked = aside / source.stem
            with lzma.open(source) as reader, unpacked.open("wb") as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
            unpacked.chmod(0o755)
            progress.advance(task)
        bind_to_loopback(aside / "milvus")
        (aside / _UNPACKED).touch()


def _wheel_folder() -> Path:
    try:
        import milvus
    except ImportError as error:
        raise DependencyUnavailable(
            "the local Milvus is not installed", field="milvus", fix='pip install "endcap[local]", or set ENDCAP_MILVUS__MANAGED=false'
        ) from error
    return Path(milvus.__file__).parent / "data"

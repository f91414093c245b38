"""`python -m endcap_benchmarks.serving.home`: a benchmark's own home, made once and kept under `.endcap/bench/<items>`.

Bundle, index and people are each made again when what they follow from changes: their parameters, and the code that makes or reads them.
A process of its own, since TensorFlow and a million items in the making would weigh on what is measured next.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import yaml

from endcap.cli.output import report_failure
from endcap.contracts.bundle import MANIFEST_NAME, BundleManifest
from endcap.core.errors import EndcapError
from endcap.core.files import folder_beside, replace_text, replacing_folder
from endcap.core.ports import free_ports
from endcap.core.settings import RetrievalSettings, Settings, load_settings
from endcap.release.bundle.manifest import open_bundle, seal_bundle
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.tables import read_tables, write_tables
from endcap.release.index.bundle_index import index_bundle
from endcap.release.index.collection import collection_name
from endcap.release.index.local_server import running_milvus
from endcap.release.index.milvus_program import unpack_program
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_feature_row, make_items, make_tables, manifest_fields
from endcap_benchmarks.synthetic.made_users import publish_users

VERSION = 1
DIM = 64
NEIGHBOURS = 50
ITEMS_A_SHELF = 280
ITEMS_A_BRAND = 20
QUOTAS = RetrievalSettings(two_tower_quota=500, item_to_item_quota=400, buy_again_quota=300, popular_quota=200)
"""More than the union keeps, so that a start page ranks 1,000 candidates whoever asks."""
STAMPS_NAME = "made.json"

BUNDLE_CODE = (
    "endcap_benchmarks.synthetic.bundle",
    "endcap_benchmarks.synthetic.random_weights",
    "endcap_components.train_two_tower",
    "endcap_components.train_two_tower.window",
    "endcap_components.train_ranker",
    "endcap_components.export_bundle.saved_model",
    "endcap.release.bundle.tables",
    "endcap.contracts.bundle",
    "endcap.features.columns",
)
INDEX_CODE = ("endcap.release.index.collection",)
USERS_CODE = (
    "endcap_benchmarks.synthetic.made_users",
    "endcap.features.columns",
    "endcap.features.packed_layout",
    "endcap.features.store.packed_views",
    "endcap_feature_repo",
)
RULES_CODE = (
    "endcap_benchmarks.micro.rules",
    "endcap_benchmarks.serving.home",
    "endcap.engine.rules.file.rule_file",
)
RULES, RULES_ABOUT_CANDIDATES = 200, 20
EMBEDDINGS = "tables/item_embeddings.npy"


@dataclass(frozen=True)
class HomeSize:
    """What a home holds."""

    items: int
    users: int = 4_000
    seed: int = 7

    def catalogue(self) -> SyntheticSize:
        shelves = 36 * max(1, round(self.items / ITEMS_A_SHELF / 36))
        return SyntheticSize(self.items, DIM, NEIGHBOURS, self.seed, shelves=shelves, brand_items=ITEMS_A_BRAND)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--users", type=int, default=HomeSize.users)
    options = parser.parse_args()
    try:
        make_home(load_settings(), HomeSize(options.items, options.users), lambda text: print(text, flush=True))
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    return 0


def home_of(settings: Settings, items: int) -> Path:
    """Where the home of a size lies."""
    return settings.home.absolute() / "bench" / str(items)


def make_home(settings: Settings, size: HomeSize, tell: Callable[[str], None]) -> None:
    """Make what is missing.

    Args:
        settings: of the product; the homes lie under its `home`.
        size: what to hold.
        tell: called with every step that takes its time.
    """
    home = home_of(settings, size.items)
    home.mkdir(parents=True, exist_ok=True)
    milvus = settings.milvus.model_copy(update={"port": free_ports(1)[0]})
    made = settings.model_copy(update={"home": home, "milvus": milvus})
    stamps = Stamps(home / STAMPS_NAME)
    parameters = asdict(size.catalogue())
    bundle_stamp = stamp(BUNDLE_CODE, **parameters, quotas=QUOTAS.model_dump())
    if stamps.differ("bundle", bundle_stamp) or not _bundle_folder(made).is_dir():
        tell(f"{size.items:,} items: making the bundle")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
            beside.submit(_make_bundle, made, size).result()  # TensorFlow gives its memory back only when its process ends
        stamps.keep("bundle", bundle_stamp)
    index_stamp = stamp(INDEX_CODE, embeddings=_manifest(made).files[EMBEDDINGS].sha256)
    if stamps.differ("index", index_stamp):
        tell(f"{size.items:,} items: building the index")
        _make_index(settings, made)
        stamps.keep("index", index_stamp)
    rules_stamp = stamp(RULES_CODE, **parameters)
    if stamps.differ("rules", rules_stamp):
        tell(f"{size.items:,} items: {RULES} rules")
        _write_rules(made)
        stamps.keep("rules", rules_stamp)
    users_stamp = stamp(USERS_CODE, users=size.users, seed=size.seed, one=make_feature_row("U0", size.catalogue()))
    if stamps.differ("users", users_stamp):
        tell(f"{size.items:,} items: features of {size.users:,} people")
        shutil.rmtree(made.feast_dir, ignore_errors=True)
        shutil.rmtree(made.features_dir, ignore_errors=True)
        publish_users(made, size.catalogue(), size.users, size.seed)
        stamps.keep("users", users_stamp)


class Stamps:
    """What a home's parts were made from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def differ(self, part: str, stamp: str) -> bool:
        return self._known.get(part) != stamp

    def keep(self, part: str, stamp: str) -> None:
        self._known[part] = stamp
        replace_text(self._path, json.dumps(self._known, indent=1))


def stamp(code: Sequence[str], **parameters: object) -> str:
    """SHA-256 over modules (of packages all modules that lie in them directly) and parameters.

    Raises:
        ModuleNotFoundError: one of them is not installed.
    """
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode())
    for name in code:
        module = find_spec(name)
        if module is None or module.origin is None:
            raise ModuleNotFoundError(name=name)
        path = Path(module.origin)
        for file in sorted(path.parent.glob("*.py")) if module.submodule_search_locations else [path]:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _bundle_folder(made: Settings) -> Path:
    return model_base_path(made.served_dir) / str(VERSION)


def _manifest(made: Settings) -> BundleManifest:
    return BundleManifest.model_validate_json((_bundle_folder(made) / MANIFEST_NAME).read_bytes())


def _make_bundle(made: Settings, size: HomeSize) -> None:
    from endcap_benchmarks.synthetic.random_weights import write_models
    from endcap_components.export_bundle.saved_model import export_saved_model, write_warm_up

    catalogue, target = size.catalogue(), _bundle_folder(made)
    collection = collection_name(made.milvus.collection_prefix, VERSION)
    rows = make_items(catalogue)
    tables = make_tables(catalogue, rows)
    with replacing_folder(target) as aside, folder_beside(made.home / "models") as models:
        tables = replace(tables, item_embeddings=write_models(models, tables, DIM, size.seed))
        export_saved_model(models / "two_tower", models / "ranker", collection, aside)
        write_warm_up(aside, made.serving.model_name)
        write_tables(aside, tables, rows)
        seal_bundle(aside, **manifest_fields(VERSION, collection, catalogue) | {"quotas": QUOTAS.model_dump()})


def _make_index(settings: Settings, made: Settings) -> None:
    program = settings.milvus_dir.absolute() / "bin"
    unpack_program(program)
    shutil.rmtree(made.milvus_dir, ignore_errors=True)
    made.milvus_dir.mkdir(parents=True)
    (made.milvus_dir / "bin").symlink_to(program)
    bundle = open_bundle(_bundle_folder(made))
    with running_milvus(made):
        index_bundle(bundle, made.milvus, limit=QUOTAS.two_tower_quota)


def _write_rules(made: Settings) -> None:
    """Rules of every action, all in force, where the transformer reads them.

    Those that exclude are narrowed to one brand each: drawn as wide as the others they would leave next to nothing of the catalogue.
    """
    from endcap_benchmarks.micro.rules import made_rules

    items = read_tables(_bundle_folder(made)).items
    document = made_rules(RULES, RULES_ABOUT_CANDIDATES, items).model_dump(mode="json", by_alias=True, exclude_none=True)
    for place, rule in enumerate(document["rules"]):
        if "exclude" in rule:
            rule["where"] = f"brand = '{items.brands.names[place % len(items.brands.names)]}'"
    made.rules_file.write_text(yaml.safe_dump(document), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

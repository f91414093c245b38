"""`endcap bundle`: what was exported, what is served, and promotion forward or back."""

from typing import Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.bundle import BundleManifest
from endcap.core.settings import Settings, load_settings

app = typer.Typer(help="List, show and promote model bundles.", no_args_is_help=True)

VersionArgument = Annotated[int, typer.Argument(help="Version of the bundle, see `endcap bundle list`.")]


@app.command(name="list")
def list_(as_json: JsonOption = False) -> None:
    """Show all bundles, newest first, with the champion and the one being served.

    Example: endcap bundle list
    """
    from endcap.release.bundle.manifest import list_bundles

    settings = load_settings()
    manifests = list_bundles(settings.bundles_dir)
    served, champion = _served_version(settings), _champion_version(settings) if manifests else None
    bundles = [
        {
            "version": manifest.version,
            "created_at": manifest.created_at,
            "ndcg": manifest.metrics.get(manifest.headline_metric),
            "ordered_by": manifest.ordered_by,
            "champion": manifest.version == champion,
            "served": manifest.version == served,
        }
        for manifest in manifests
    ]
    if as_json:
        print_json(bundles)
    elif bundles:
        marked = ({name: _mark(value) for name, value in bundle.items()} for bundle in bundles)
        print_table("Bundles", [{**bundle, "version": str(bundle["version"])} for bundle in marked])
    else:
        typer.echo("No bundles yet; run `endcap pipeline run`.")


@app.command()
def show(version: VersionArgument, as_json: JsonOption = False) -> None:
    """Check a bundle's files and show its manifest.

    Example: endcap bundle show 20261127080000
    """
    from endcap.release.bundle.manifest import open_bundle

    manifest = open_bundle(load_settings().bundles_dir / str(version)).manifest
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    print_table(manifest.name, [{"field": name, "value": str(value)} for name, value in _summary(manifest).items()])
    print_table("Offline metrics", [{"metric": name, "value": value} for name, value in sorted(manifest.metrics.items())])


@app.command()
def promote(version: VersionArgument, as_json: JsonOption = False) -> None:
    """Serve a bundle and make it the champion; to roll back, promote an older version.

    Its files are checked, its collection is built again if Milvus lost it, then the alias, the served folder and the champion move.

    Example: endcap bundle promote 20261127080000
    """
    from dataclasses import asdict

    from endcap.release.bundle.manifest import open_bundle
    from endcap.release.bundle.release import release_bundle
    from endcap.release.index.local_server import running_milvus

    settings = load_settings()
    bundle = open_bundle(settings.bundles_dir / str(version))
    with running_milvus(settings):
        release = release_bundle(bundle, settings)
    if as_json:
        print_json(asdict(release))
    else:
        typer.echo(f"endcap-{version} is served, collection {release.index.collection}, self-recall {release.index.self_recall:.3f}.")


@app.command()
def store(version: VersionArgument, as_json: JsonOption = False) -> None:
    """Copy a bundle to the store of a cluster and build its collection there; nothing is served by it yet.

    Example: ENDCAP_ROLLOUTS__BUNDLE_STORE=s3://shop/bundles endcap bundle store 20261127080000
    """
    from endcap.core.errors import InvalidInput
    from endcap.release.bundle.manifest import open_bundle
    from endcap.release.bundle.store import FIELD, open_bundle_store
    from endcap.release.index.bundle_index import index_bundle
    from endcap.release.index.local_server import running_milvus

    settings = load_settings()
    address = settings.rollouts.bundle_store
    if address is None:
        raise InvalidInput("there is no bundle store", field=FIELD, fix="set it to a folder, or to an address such as s3://shop/bundles")
    bundle = open_bundle(settings.bundles_dir / str(version))
    folder = open_bundle_store(address).put(bundle)
    with running_milvus(settings):
        report = index_bundle(bundle, settings.milvus, limit=bundle.manifest.quotas["two_tower_quota"], seed=settings.seed)
    if as_json:
        print_json({"version": version, "folder": folder, "collection": report.collection, "self_recall": report.self_recall})
    else:
        typer.echo(f"endcap-{version} is in {folder}, collection {report.collection}, self-recall {report.self_recall:.3f}.")


def _summary(manifest: BundleManifest) -> dict[str, Any]:
    left_out = {"files", "features", "metrics"}
    size_bytes = sum(entry.size_bytes for entry in manifest.files.values())
    return {**manifest.model_dump(mode="json", exclude=left_out), "files": f"{len(manifest.files)}, {size_bytes / 1e6:.0f} MB"}


def _mark(value: Any) -> Any:
    return ("yes" if value else "") if isinstance(value, bool) else value


def _served_version(settings: Settings) -> int | None:
    from endcap.release.bundle.promotion import served_version

    return served_version(settings.served_dir)


def _champion_version(settings: Settings) -> int | None:
    from endcap.release.tracking import Tracking

    return Tracking(settings).champion_version()

"""The champion's bundle, from wherever this deployment keeps it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from endcap.core.errors import BundleInvalid
from endcap.core.settings import Settings
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.store import open_bundle_store
from endcap.release.tracking import Champion


@contextmanager
def champion_bundle(champion: Champion, settings: Settings) -> Iterator[Bundle]:
    """Open the champion's bundle, its files checked: as it is served, installed, stored, or under the address it was registered with.

    A bundle of a store without folders is copied, and the copy removed afterwards.

    Raises:
        BundleInvalid: it is in none of the places, it is damaged, or this version of endcap cannot read it.
        InvalidInput: the setting of the store is no place for bundles.
        DependencyUnavailable: the store does not answer.
    """
    version = champion.bundle_version
    folders = [model_base_path(settings.served_dir) / str(version), settings.bundles_dir / str(version)]
    folders += _registered_folder(champion)
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is not None:
        yield open_bundle(found)
        return
    if settings.rollouts.bundle_store:
        with tempfile.TemporaryDirectory(prefix="endcap-champion-") as copy:
            yield open_bundle_store(str(settings.rollouts.bundle_store)).fetch(version, Path(copy) / str(version))
        return
    places = ", ".join(str(folder) for folder in folders)
    raise BundleInvalid("the champion's bundle is in none of the places where bundles are kept", field="bundle", value=version, fix=places)


def _registered_folder(champion: Champion) -> list[Path]:
    address = urlsplit(champion.source)
    return [Path(url2pathname(address.path))] if address.scheme == "file" else []

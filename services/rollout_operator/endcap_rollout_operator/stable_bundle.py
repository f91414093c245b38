"""Which bundle of a target is the stable one, said in a ConfigMap for parts that read its tables, as the stream."""

from collections.abc import Iterable, Mapping
from typing import Any

from endcap.core.errors import InvalidInput
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.bundle.served_pointer import POINTER_NAME, ServedPointer
from endcap.release.rollout.api_server import INFERENCE_SERVICES, ApiServer, open_api_server
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.inference_service import absent, served_by


class StableBundle:
    """Writes the pointer when another bundle becomes the stable one, and when it is not there. While a target is gone the last one stays.

    Args:
        api_server: of the target's namespace.
        target: name of the InferenceService.
        config_map: that holds the pointer; whoever installs the release makes it.
    """

    def __init__(self, api_server: ApiServer, target: str, config_map: str) -> None:
        self._api_server = api_server
        self._target = target
        self._config_map = config_map

    def say(self, rollouts: Iterable[Rollout]) -> None:
        """One look at the target, and at the ConfigMap.

        Args:
            rollouts: all that there are.

        Raises:
            InvalidInput: there is no such ConfigMap, or the target's bundle has no version.
            DependencyUnavailable: the API server does not answer.
            Refused: the API server refuses it.
        """
        held = self._api_server.config_map(self._config_map)
        if held is None:
            fix = "install the chart with stream.enabled, or take ENDCAP_ROLLOUTS__SERVED_CONFIG_MAP out"
            raise InvalidInput("there is no such ConfigMap", field="ENDCAP_ROLLOUTS__SERVED_CONFIG_MAP", value=self._config_map, fix=fix)
        document = self._api_server.get(INFERENCE_SERVICES, self._target)
        if document is None or absent(document, self._target) is not None:
            pointer = None if POINTER_NAME in held else ServedPointer(version=None)
        else:
            pointer = ServedPointer(version=stable_version(document, self._target, rollouts))
        if pointer is not None and held.get(POINTER_NAME) != pointer.text():
            self._api_server.merge_config_map(self._config_map, {POINTER_NAME: pointer.text()})
            get_logger("rollout-operator").info("stable bundle", target=self._target, version=pointer.version)


def stable_version(document: Mapping[str, Any], target: str, rollouts: Iterable[Rollout]) -> int:
    """The version that a target serves when no rollout is under way, or goes back to when the one under way is rolled back.

    In Knative mode the InferenceService names the candidate while a rollout is under way.

    Args:
        document: the InferenceService, with a bundle.
        target: its name.
        rollouts: all that there are.

    Raises:
        InvalidInput: neither its annotation nor its address says a version.
    """
    under_way = (each.status.stable for each in rollouts if each.spec.target == target and not each.has_ended)
    served = next((each for each in under_way if each is not None), None) or served_by(document)
    last = served.storage_uri.rstrip("/").rpartition("/")[2]
    version = served.version or (int(last) if last.isdigit() else None)
    if not version:
        fix = "set its annotation endcap.dev/bundle to the bundle's version"
        raise InvalidInput("it does not say which version it serves", field=f"InferenceService {target}", value=served.storage_uri, fix=fix)
    return version


def open_stable_bundle(settings: Settings) -> StableBundle | None:
    """By the settings; None where nobody follows it.

    Raises:
        InvalidInput: a ConfigMap is named, and no target.
        DependencyUnavailable: there is no cluster.
    """
    chosen = settings.rollouts
    if not chosen.served_config_map:
        return None
    if not chosen.target:
        raise InvalidInput("the stable bundle is a target's", field="ENDCAP_ROLLOUTS__TARGET", fix="name the InferenceService")
    return StableBundle(open_api_server(settings), chosen.target, chosen.served_config_map)

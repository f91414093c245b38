"""MLflow's champion, which follows what is served."""

from endcap.core.settings import Settings


class Registry:
    """Opens MLflow for each use: it is needed at the end of a rollout only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def is_there(self) -> bool:
        """Whether the settings name an MLflow; without one there is no champion to move."""
        return self._settings.mlflow.tracking_uri is not None

    def champion(self) -> int | None:
        """Bundle version of the champion.

        Raises:
            DependencyUnavailable: MLflow does not answer.
        """
        from endcap.release.tracking import Tracking

        return Tracking(self._settings).champion_version()

    def make_champion(self, version: int) -> None:
        """Raises:
        DependencyUnavailable: MLflow does not answer.
        InvalidInput: the bundle is not registered.
        """
        from endcap.release.tracking import Tracking

        Tracking(self._settings).make_champion_version(version)

"""Runs, bundles as registered model versions, and the alias `champion`, in MLflow."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.contracts.bundle import BundleManifest
from endcap.contracts.evaluation import Evaluation
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.settings import Settings

CHAMPION = "champion"
BUNDLE_TAG = "endcap.bundle"
EVALUATION_TAG = "endcap.evaluation"
_PARAMETER_LENGTH_MAX = 500


@dataclass(frozen=True)
class Champion:
    """The bundle that others have to beat.

    Attributes:
        bundle_version: of the bundle that is served.
        source: the address that it was registered with.
    """

    bundle_version: int
    source: str = ""


class Tracking:
    """The tracking server and model registry of the settings; a SQLite file for the local profile."""

    def __init__(self, settings: Settings) -> None:
        """Open, and create what is missing.

        Raises:
            DependencyUnavailable: the store cannot be opened or does not answer.
        """
        quiet_mlflow()
        import mlflow

        self._settings = settings.mlflow
        self._artifacts = settings.home.absolute() / "mlflow-artifacts"
        self._failure: type[Exception] = mlflow.MlflowException
        if settings.mlflow.tracking_uri is None:
            settings.home.mkdir(parents=True, exist_ok=True)
        try:
            self._client = mlflow.MlflowClient(tracking_uri=settings.mlflow_uri, registry_uri=settings.mlflow_uri)
            self._experiment_id = self._ensure_experiment()
        except (mlflow.MlflowException, OSError) as error:
            raise DependencyUnavailable(
                f"MLflow cannot be opened: {error}",
                field="ENDCAP_MLFLOW__TRACKING_URI",
                value=settings.mlflow_uri,
                fix="check the address, or unset it to use SQLite under ENDCAP_HOME",
            ) from error

    def record_run(self, evaluation_file: Path, parameters: Mapping[str, Any], tags: Mapping[str, str], report: Path | None = None) -> str:
        """Record a training run with its parameters, offline metrics, tags and documents; the same evaluation is recorded once.

        Returns:
            The run's id.
        """
        text = evaluation_file.read_bytes()
        digest = hashlib.sha256(text).hexdigest()
        known = self._client.search_runs([self._experiment_id], f"tags.`{EVALUATION_TAG}` = '{digest}'", max_results=1)
        if known:
            return str(known[0].info.run_id)
        evaluation = Evaluation.model_validate_json(text)
        run = self._client.create_run(self._experiment_id, tags={**tags, EVALUATION_TAG: digest})
        run_id = str(run.info.run_id)
        for name, value in parameters.items():
            self._client.log_param(run_id, name, str(value)[:_PARAMETER_LENGTH_MAX])
        self._log_metrics(run_id, evaluation.flat())
        self._client.log_artifact(run_id, str(evaluation_file))
        if report is not None:
            self._client.log_artifact(run_id, str(report))
        self._client.set_terminated(run_id)
        return run_id

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        for name, value in tags.items():
            self._client.set_tag(run_id, name, value)

    def register(self, manifest: BundleManifest, source: Path | str) -> str:
        """Register a bundle, found in a folder or at an address, as a version of the model, once; the version's number in MLflow."""
        registered = self._model_version(manifest.version)
        if registered is not None:
            return registered
        try:
            self._client.create_registered_model(self._settings.registered_model)
        except self._failure as error:
            if _code(error) != "RESOURCE_ALREADY_EXISTS":
                raise
        version = self._client.create_model_version(
            self._settings.registered_model,
            source=source if isinstance(source, str) else source.absolute().as_uri(),
            run_id=manifest.run_id,
            tags={BUNDLE_TAG: str(manifest.version), "collection": manifest.collection},
        )
        return str(version.version)

    def make_champion(self, manifest: BundleManifest, source: Path) -> None:
        """Point the alias `champion` at a bundle, and register it first if it is not."""
        number = self.register(manifest, source)
        self._client.set_registered_model_alias(self._settings.registered_model, CHAMPION, number)

    def make_champion_version(self, bundle_version: int) -> None:
        """Point the alias `champion` at a bundle that was registered before.

        Raises:
            InvalidInput: no version of the model is of this bundle.
            DependencyUnavailable: MLflow does not answer.
        """
        try:
            number = self._model_version(bundle_version)
            if number is None:
                raise InvalidInput(
                    "no version of the model is of this bundle", field="bundle", value=bundle_version, fix="register it first"
                )
            self._client.set_registered_model_alias(self._settings.registered_model, CHAMPION, number)
        except self._failure as error:
            raise self._unavailable(error) from error

    def champion_version(self) -> int | None:
        """The champion's bundle version, or None when the registry says that there is none.

        Raises:
            DependencyUnavailable: MLflow does not answer.
        """
        found = self.champion()
        return found.bundle_version if found is not None else None

    def champion(self) -> Champion | None:
        """The champion, or None when the registry says that there is none.

        Raises:
            DependencyUnavailable: MLflow does not answer.
        """
        found = self._champion()
        return Champion(int(found.tags[BUNDLE_TAG]), str(found.source or "")) if found is not None else None

    def _champion(self) -> Any:
        """The model version with the alias `champion`; None when the registry has no such model or alias."""
        model = self._settings.registered_model
        try:
            number = self._client.get_registered_model(model).aliases.get(CHAMPION)
            return None if number is None else self._client.get_model_version(model, number)
        except self._failure as error:
            if _is_missing(error):
                return None
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> DependencyUnavailable:
        return DependencyUnavailable(
            f"MLflow does not answer: {error}",
            field="ENDCAP_MLFLOW__TRACKING_URI",
            value=self._settings.tracking_uri,
            fix="run again when the tracking server and its artifact store are there",
        )

    def _model_version(self, bundle_version: int) -> str | None:
        found = self._client.search_model_versions(f"name = '{self._settings.registered_model}'")
        return next((str(each.version) for each in found if each.tags.get(BUNDLE_TAG) == str(bundle_version)), None)

    def _ensure_experiment(self) -> str:
        experiment = self._client.get_experiment_by_name(self._settings.experiment)
        if experiment is not None:
            return str(experiment.experiment_id)
        location = None if self._settings.tracking_uri else self._artifacts.as_uri()
        return str(self._client.create_experiment(self._settings.experiment, artifact_location=location))

    def _log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        import time

        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        logged = [Metric(name.replace("@", "_at_"), value, now_ms, 0) for name, value in metrics.items()]
        for start in range(0, len(logged), 500):
            self._client.log_batch(run_id, metrics=logged[start : start + 500])


def _is_missing(error: Any) -> bool:
    """Whether the registry answered, and said that there is no such thing."""
    return _code(error) == "RESOURCE_DOES_NOT_EXIST"


def _code(error: Any) -> str:
    return str(getattr(error, "error_code", ""))


def quiet_mlflow() -> None:
    """Keep database migrations and hints of MLflow out of our output."""
    import logging
    import os

    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)

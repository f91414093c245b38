"""The one settings object. A profile is a set of these values, nothing else: environment variables `ENDCAP_*`, nested by `__`."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from endcap.contracts.moment import UtcMoment
from endcap.errors import InvalidInput
from endcap.log import LogFormat


class DataSettings(BaseModel):
    max_rejected_share: float = Field(0.01, ge=0, le=1, description="A table with a larger share of bad rows is refused.")


class RetrievalSettings(BaseModel):
    """How many candidates each source may give, and how many go to ranking after the union."""

    two_tower_quota: int = Field(400, ge=0, le=16_384, description="Nearest items of the query embedding.")
    item_to_item_quota: int = Field(300, ge=0, description="Items bought with what the user bought or looked at last.")
    buy_again_quota: int = Field(300, ge=0, description="Items the user bought before, the most likely first.")
    popular_quota: int = Field(150, ge=1, description="Most bought items overall and in the user's segment.")
    candidates_max: int = Field(1000, ge=10, description="Candidates after the union, the most any request ranks.")


class ServingSettings(BaseModel):
    host: str = Field("127.0.0.1", description="Address the predict endpoint listens on.")
    http_port: int = Field(8080, ge=1, le=65_535)
    grpc_port: int = Field(8081, ge=1, le=65_535)
    model_name: str = Field("endcap", description="The name in /v1/models/NAME:predict.")
    request_budget_ms: float = Field(50, gt=0, description="Time a whole request may take before stages are cut short.")
    features_timeout_ms: float = Field(15, gt=0)
    retrieval_timeout_ms: float = Field(25, gt=0)
    rank_timeout_ms: float = Field(35, gt=0)
    k_default: int = Field(10, ge=1, le=500)
    body_max_bytes: int = Field(1024 * 1024, ge=1024)


class ModelServerSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = Field(8500, ge=1, le=65_535, description="gRPC port of TensorFlow Serving or the local model server.")
    threads: int = Field(1, ge=1, description="Threads the local model server computes one request with.")


class MilvusSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = Field(19_530, ge=1, le=65_535)
    managed: bool = Field(True, description="Whether commands start a local Milvus when none answers at host and port.")
    collection_prefix: str = Field("endcap", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    keep_collections: int = Field(3, ge=1, description="Collections kept for rollback, the newest first.")
    self_recall_min: float = Field(0.95, ge=0, le=1, description="Below this share of exact results an index is not switched to.")


class MlflowSettings(BaseModel):
    tracking_uri: str | None = Field(None, description="Empty for SQLite under `home`.")
    experiment: str = "endcap"
    registered_model: str = "endcap"


class Settings(BaseSettings):
    """All settings of all parts; a part reads its own section."""

    model_config = SettingsConfigDict(env_prefix="ENDCAP_", env_nested_delimiter="__", extra="forbid")

    profile: Literal["local", "cluster"] = "local"
    home: Path = Field(Path(".endcap"), description="Where the local profile keeps everything it makes.")
    feature_repo_dir: Path = Field(Path("feature_repo"), description="The Feast repository.")
    replay_at: UtcMoment | Literal["auto", "now"] = Field(
        "auto", description="Answer as of this instant; auto: the end of the bundle's data when that is over 28 days ago."
    )
    log_level: str = "INFO"
    log_format: LogFormat = "console"
    seed: int = 20_171_204
    data: DataSettings = DataSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    serving: ServingSettings = ServingSettings()
    model_server: ModelServerSettings = ModelServerSettings()
    milvus: MilvusSettings = MilvusSettings()
    mlflow: MlflowSettings = MlflowSettings()

    @property
    def data_dir(self) -> Path:
        """The canonical dataset that commands use unless they are given another."""
        return self.home / "data"

    @property
    def features_dir(self) -> Path:
        """Feast's offline store: the feature tables as Parquet files."""
        return self.home / "features"

    @property
    def feast_dir(self) -> Path:
        """Feast's registry and its local online store."""
        return self.home / "feast"

    @property
    def pipeline_dir(self) -> Path:
        """Artifacts and cache of local pipeline runs."""
        return self.home / "pipeline"

    @property
    def bundles_dir(self) -> Path:
        """Every exported bundle, a folder a version."""
        return self.home / "bundles"

    @property
    def served_dir(self) -> Path:
        """The model base path: holds the version being served, as TensorFlow Serving expects it."""
        return self.home / "served"

    @property
    def milvus_dir(self) -> Path:
        return self.home / "milvus"

    @property
    def mlflow_uri(self) -> str:
        return self.mlflow.tracking_uri or f"sqlite:///{(self.home / 'mlflow.db').absolute()}"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        InvalidInput: a variable is unknown or has a value its field does not allow.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "ENDCAP_" + "__".join(str(part) for part in first["loc"]).upper()
        raise InvalidInput(first["msg"], field=name, value=first.get("input"), fix="correct or unset the environment variable") from error


def resolve_replay(
    replay_at: datetime | Literal["auto", "now"], data_end: datetime, now: datetime, stale_after_days: int = 28
) -> datetime | None:
    """The instant to answer as of, or None for the real clock.

    "auto" stands at the data's end when that lies more than `stale_after_days` back, as it does for recorded datasets.
    """
    if isinstance(replay_at, datetime):
        return replay_at
    if replay_at == "auto" and (now - data_end).days > stale_after_days:
        return data_end
    return None

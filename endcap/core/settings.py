"""The one settings object. A profile is a set of these values, nothing else: environment variables `ENDCAP_*`, nested by `__`."""

from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from endcap.contracts.moment import UtcMoment
from endcap.core.errors import InvalidInput
from endcap.core.log import LogFormat


class DataSettings(BaseModel):
    max_rejected_share: float = Field(0.01, ge=0, le=1, description="A table with a larger share of bad rows is refused.")


class FeatureSettings(BaseModel):
    """Where feature tables come from, when not from the step that builds them."""

    computed: str | None = Field(
        None, description="Folder or address where the Spark job leaves its tables; empty to compute them in the pipeline's step."
    )


Distribution = Literal["auto", "none", "mirrored", "multi_worker"]


class TrainingSettings(BaseModel):
    """How the two-tower's training is spread, what a restart goes on from, and which events a local run learns from."""

    distribution: Distribution = Field(
        "auto",
        description="`none`: one device. `mirrored`: all GPUs of the machine, or of the pod. `multi_worker`: the workers of TF_CONFIG. "
        "`auto`: whichever of these there is.",
    )
    checkpoint_dir: Path | None = Field(
        None, description="Folder that outlives the process, the same for all workers: a fit that is started again goes on from there."
    )
    checkpoint_steps: int = Field(500, ge=1, description="Steps between two checkpoints.")
    signals_file: Path | None = Field(
        None,
        description="YAML that says how much each type of event teaches, of `endcap validate`, `features` and `pipeline run`; "
        "empty for the defaults.",
    )


class RetrievalSettings(BaseModel):
    """How many candidates each source may give, and how many go to ranking after the union."""

    two_tower_quota: int = Field(400, ge=0, le=16_384, description="Nearest items of the query embedding.")
    item_to_item_quota: int = Field(300, ge=0, description="Items bought with what the user bought or looked at last.")
    buy_again_quota: int = Field(300, ge=0, description="Items the user bought before, the most likely first.")
    popular_quota: int = Field(150, ge=1, description="Most bought items overall and in the user's segment.")
    left_in_cart_quota: int = Field(50, ge=0, description="Items the user put into the cart and has not bought, the latest first.")
    ease_quota: int = Field(200, ge=0, description="Items that EASE finds in what the user has, where the bundle has its table.")
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
    variant: str = Field("default", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", description="The experiment variant these answers are of.")
    service_name: str | None = Field(
        None, max_length=128, description="InferenceService that this process is of, in impressions; empty for the model's name."
    )
    k_default: int = Field(10, ge=1, le=500)
    body_max_bytes: int = Field(1024 * 1024, ge=1024, description="Longest body, packed or not.")
    head_seconds: float = Field(10, gt=0, description="Longest time a request's head may take to come, from its first byte on.")
    body_seconds: float = Field(
        10, gt=0, description="Longest time a body may take to come; the budget counts from the moment when it is whole."
    )
    surfaces_file: Path | None = Field(None, description="YAML of the surfaces; empty for the ones endcap ships with.")
    bundle_dir: Path | None = Field(
        None, description="Folder that holds `endcap/<version>/`, as KServe mounts it; empty for `served` under `home`."
    )
    rules_file: Path | None = Field(None, description="YAML of the merchandisers' rules; empty for `rules.yaml` under `home`.")
    live_dir: Path | None = Field(None, description="Folder of live item updates and click evidence; empty for `live` under `home`.")


class ConsentSettings(BaseModel):
    """What a customer allows where a request does not say; a value that is not set is the profile's: yes for local, no for cluster."""

    personalisation: bool = Field(False, description="Whether features of the user and the session are read.")
    analytics: bool = Field(False, description="Whether impressions carry the user's and the session's id.")


_CONSENT_OF_PROFILE = {
    "local": ConsentSettings(personalisation=True, analytics=True),
    "cluster": ConsentSettings(personalisation=False, analytics=False),
}


class PersonIdSettings(BaseModel):
    """How ids of people, visits and orders are kept; the same for the import, the collector and the transformer, else they never meet."""

    hashed: bool = Field(False, description="Whether ids are kept as a hash under a key; `endcap ids hash` renames what is stored.")
    key_file: Path | None = Field(
        None, description="The key, 32 random bytes in URL-safe base64, never to be changed; empty for one made under `home`."
    )


class BulkSettings(BaseModel):
    """The lane of large requests, which makes many lists together and behind those that shoppers wait for."""

    lists_over: int = Field(8, ge=1, description="A request with more lists than this is made in the bulk lane.")
    lists_together: int = Field(8, ge=1, le=100, description="Lists of one batch: one read, one search and one ranking for all.")
    requests_max: int = Field(8, ge=1, description="Requests of the lane in work or waiting; one more is answered 429.")
    patience_ms: float = Field(50, gt=0, description="How long a step of a batch waits for a moment in which no shopper does.")
    list_budget_ms: float = Field(10_000, gt=0, description="Time a list of the lane may take before stages are cut short.")


class CacheSettings(BaseModel):
    """Caches of one transformer; each is bounded in entries, and 0 seconds switches it off."""

    answer_seconds: float = Field(5, ge=0, description="Answers to requests without user and session.")
    answer_entries: int = Field(10_000, ge=1)
    query_seconds: float = Field(300, ge=0, description="Query embeddings; a person's next event makes a new key.")
    query_entries: int = Field(50_000, ge=1)
    features_seconds: float = Field(1, ge=0, description="User and session features.")
    features_entries: int = Field(50_000, ge=1)
    stale_seconds: float = Field(3_600, ge=0, description="How old an answer may be that is served when all else is down.")
    stale_entries: int = Field(20_000, ge=1)


class ResilienceSettings(BaseModel):
    """Bulkheads, circuit breakers, load shedding and draining."""

    bulkhead_calls: int = Field(32, ge=1, description="Calls to one dependency at the same time; more fall back at once.")
    breaker_failures: int = Field(5, ge=1, description="Failures in a row that open a dependency's circuit.")
    breaker_failing_seconds: float = Field(
        0.3, ge=0, description="How long failures in a row have gone on when they open a circuit: a short stall opens none."
    )
    breaker_open_seconds: float = Field(2, gt=0, description="How long it stays open before one call tries again.")
    in_flight_max: int = Field(64, ge=1, description="Most requests in work at once; the working limit below it follows the latency.")
    retry_after_seconds: int = Field(1, ge=1, description="Retry-After of a request that was shed.")
    drain_seconds: float = Field(10, gt=0, description="How long requests in flight may take after SIGTERM.")
    unready_seconds: float = Field(1, ge=0, description="Time between readiness going and the listener closing, for load balancers.")


class ExplorationSettings(BaseModel):
    """How reserved slots are filled; the share of slots is the surface's."""

    policy: Literal["thompson", "ucb", "epsilon"] = "thompson"
    new_item_share: float = Field(0.5, ge=0, le=1, description="Of the explored slots, those kept for items without evidence of their own.")
    evidence_impressions: float = Field(50, gt=0, description="Impressions from which on an item has evidence of its own.")
    half_life_days: float = Field(7, gt=0, description="Time after which a click counts half.")
    swap_share: float = Field(
        0.005,
        ge=0,
        lt=0.5,
        description="Share of the lists that explore whose first two places are exchanged, to learn what a place is worth.",
    )


class TelemetrySettings(BaseModel):
    otlp_endpoint: str | None = Field(None, description="OpenTelemetry collector, for example http://127.0.0.1:4317; empty for no traces.")
    trace_share: float = Field(0.01, ge=0, le=1, description="Share of requests that are traced unless the caller decided.")


class ModelServerSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = Field(8500, ge=1, le=65_535, description="gRPC port of TensorFlow Serving or the local model server.")
    threads: int = Field(1, ge=1, description="Threads the local model server computes one request with.")


class MilvusSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = Field(19_530, ge=1, le=65_535)
    token: SecretStr | None = Field(None, description="`user:password` or an API key; empty for a Milvus that asks for none.")
    tls: bool = Field(False, description="Whether connections are encrypted.")
    ca_file: Path | None = Field(None, description="Certificate authority of Milvus's certificate; empty for the system's own.")
    managed: bool = Field(True, description="Whether commands start a local Milvus when none answers at host and port.")
    collection_prefix: str = Field("endcap", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    keep_collections: int = Field(3, ge=1, description="Collections kept for rollback, the newest first.")
    self_recall_min: float = Field(0.95, ge=0, le=1, description="Below this share of exact results an index is not switched to.")


class MlflowSettings(BaseModel):
    tracking_uri: str | None = Field(None, description="Empty for SQLite under `home`.")
    experiment: str = "endcap"
    registered_model: str = "endcap"


class EventSettings(BaseModel):
    """Where events go, the local event log or Kafka, and which types there are beside the contract's."""

    kafka_bootstrap: str | None = Field(None, description="Kafka's host:port, several with commas; empty for the local event log.")
    kafka_topic: str | None = Field(
        None, min_length=1, description="Topic of the lists that were shown; left out, `.impressions.v1` behind the topics' prefix."
    )
    kafka_config_file: Path | None = Field(
        None, description="More settings of the Kafka client (TLS, SASL), `name=value` a line; holds passwords, so mount a secret."
    )
    topic_prefix: str = Field(
        "endcap",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="What the names of endcap's topics begin with, before `.events.v1` and so on.",
    )
    custom_types_file: Path | None = Field(None, description="YAML of the shop's own event types; empty for none.")
    probe_seconds: float = Field(
        10,
        ge=0,
        allow_inf_nan=False,
        description="Time between two probes of a collector, which show that events arrive and when; 0 for none. Give all parts the same.",
    )


class SchemasSettings(BaseModel):
    """The schema registry that knows the topics' schemas; without one, values in Kafka are plain JSON."""

    registry_url: str | None = Field(
        None,
        description="Where a registry speaks Confluent's API, for example https://registry.example/apis/ccompat/v7; empty for none.",
    )
    user: str | None = Field(None, description="Name for basic authentication; empty for none.")
    password: SecretStr | None = Field(None, description="Password for that name.")
    token: SecretStr | None = Field(None, description="Bearer token, instead of name and password.")
    ca_file: Path | None = Field(None, description="Certificate authority of the registry's certificate; empty for the system's own.")
    timeout_seconds: float = Field(2, gt=0, description="Longest time the registry may take to answer.")
    refresh_seconds: float = Field(300, gt=0, description="Between two times that a writer asks for the ids of its schemas.")
    ids_file: Path | None = Field(
        None, description="Where writers keep the ids they know, for times without the registry; empty for `schema_ids.json` under `home`."
    )


class CollectorSettings(BaseModel):
    """The collector: where events come in."""

    host: str = Field("127.0.0.1", description="Address it listens on.")
    port: int = Field(8090, ge=1, le=65_535)
    keys_file: Path | None = Field(
        None,
        description="YAML of the keys, read again when it changes; empty for none, which one machine's own address alone may do without.",
    )
    allowed_origins: list[str] = Field(
        default_factory=list, description="Origins whose pages may send, for example https://shop.example; keys may name more."
    )
    body_max_bytes: int = Field(1024 * 1024, ge=1024, description="Longest body, packed or not.")
    events_max: int = Field(1_000, ge=1, description="Most events of one request.")
    head_seconds: float = Field(10, gt=0, description="Longest time a request's head may take to come, from its first byte on.")
    body_seconds: float = Field(10, gt=0, description="Longest time a body may take to come.")
    requests_max: int = Field(256, ge=1, description="Most requests in work at once.")
    retry_after_seconds: int = Field(5, ge=1, description="Retry-After while a part is away.")
    events_per_second: float = Field(2_000, gt=0, description="Events of one key, unless the key says more or less.")
    burst: int = Field(10_000, ge=1_000, description="Events that a key may send at once.")
    remembered_ids: int = Field(200_000, ge=1_000, description="Newest event ids by which an event that is sent again is known.")
    dead_letter_days: float = Field(14, gt=0, description="How long dead letters are kept.")
    dead_letter_key_file: Path | None = Field(
        None, description="Keys that dead letters are encrypted with, the newest first, a line each; empty for one made under `home`."
    )
    pixel_key_file: Path | None = Field(
        None, description="Keys that the links of mails' pixels are made with, as above; empty for one made under `home`."
    )
    events_topic: str | None = Field(
        None, min_length=1, description="Kafka's topic of events, where Kafka is set; left out, `.events.v1` behind the topics' prefix."
    )
    rejected_topic: str | None = Field(None, min_length=1, description="The same of dead letters, `.rejected.v1`.")
    catalogue_topic: str | None = Field(None, min_length=1, description="The same of changes of items, `.catalogue.v1`.")
    spool_bytes_max: int = Field(
        1024 * 1024 * 1024, ge=1, description="Bytes that may wait on the disk for Kafka; what would be more is answered with 503."
    )
    spool_keep_seconds: float = Field(
        3_600,
        ge=0,
        description="How long a file of events or changes stays after its last line when Kafka has all of it; what is in it is known as "
        "sent before after a restart.",
    )


class OutcomeSettings(BaseModel):
    """What was shown is joined to what followed: how long is waited for it, and how often what it says is written."""

    click_minutes: float = Field(30, gt=0, description="After an impression, time within which a click counts for it.")
    cart_hours: float = Field(24, gt=0, description="The same for an item put into the cart.")
    purchase_days: float = Field(7, gt=0, description="The same for a purchase.")
    list_minutes: float = Field(
        30, gt=0, description="Time after which a list is counted for guardrails; a rollout's steps have to be longer than it."
    )
    keep_days: float = Field(70, ge=8, description="How long impressions are kept to be joined, and returns taken off; day tables stay.")
    write_seconds: float = Field(60, gt=0, description="Time between two writings of day tables and click evidence.")


class StreamSettings(BaseModel):
    """What the stream makes of events, and which of them it counts."""

    host: str = Field("127.0.0.1", description="Address its health and metrics are asked at.")
    port: int = Field(8091, ge=1, le=65_535, description="Port of /healthz, /readyz and /metrics.")
    watermark_seconds: float = Field(
        7_200, gt=0, description="Events that happened this long before the newest one are late: left to the batch features, and counted."
    )
    session_gap_seconds: float = Field(1_800, gt=0, description="A pause longer than this ends a visit.")
    batch_bytes: int = Field(
        4 * 1024 * 1024,
        ge=1024,
        description="Bytes that one step reads at most of each file of the event log, or of all partitions.",
    )
    kafka_group: str = Field(
        "endcap-stream", min_length=1, description="Consumer group under which Kafka's tools see how far the stream is; never read."
    )
    bot_events_a_minute: int = Field(
        240, ge=1, description="A session with more events of pages in a minute is a bot's, and left out from then on."
    )
    bot_views_without_dwell: int = Field(1_000, ge=1, description="The same after so many product views without any dwell event.")


class CounterSettings(BaseModel):
    """What the stream counts of items, and from when on servers go by it."""

    region_purchases_min: float = Field(
        200,
        gt=0,
        description="Baskets of a region, or of the whole shop, in the last week from which on live counts stand in for the bundle's "
        "popular items; with as many in the four weeks before for its trends too.",
    )
    users_file: Path | None = Field(
        None, description="Canonical table of users, whose regions trends are counted by; empty for the one of the dataset under `home`."
    )
    deliver_seconds: float = Field(
        2,
        ge=0,
        description="Between two times that counts, or prices and stock, reach the servers' files: each costs servers a new item table.",
    )
    remembered_days: int = Field(56, ge=35, description="How long a purchase is remembered for the returns that may come.")


class RolloutSettings(BaseModel):
    """How a bundle comes to be served on a cluster: through a `Rollout`, which the rollout operator carries out."""

    target: str | None = Field(None, description="InferenceService that new bundles are rolled out to; empty to promote them locally.")
    namespace: str | None = Field(None, description="Namespace of the target; empty for the pod's or the kubeconfig's own.")
    bundle_store: str | None = Field(None, description="Where bundles are copied to: a folder, or an address such as s3://bucket/bundles.")
    storage_uri: str | None = Field(None, description="The same place as KServe names it, for example pvc://endcap/bundles.")
    served_file: Path | None = Field(
        None,
        description="JSON that says which bundle of the store is served, of parts that read its tables, as the stream; empty for the one "
        "promoted under `home`.",
    )
    served_config_map: str | None = Field(
        None, description="ConfigMap in which the operator says which bundle of its target is the stable one; empty for none."
    )
    defaults_file: Path | None = Field(None, description="YAML with the `steps` and `analysis` of new rollouts; empty for endcap's own.")
    prometheus_url: str = Field("http://127.0.0.1:9090", description="Prometheus that guardrails ask.")
    prometheus_matchers: str = Field("", description='Label matchers that narrow guardrails, for example namespace="shop".')
    prometheus_timeout_seconds: float = Field(10, gt=0)
    tick_seconds: float = Field(5, gt=0, description="Time between two looks of the operator at a rollout in progress.")
    host: str = Field("127.0.0.1", description="Address the operator's health and metrics are asked at.")
    health_port: int = Field(8080, ge=1, le=65_535, description="Port of the operator's /healthz.")
    metrics_port: int = Field(9091, ge=1, le=65_535, description="Port of the operator's /metrics.")


class Settings(BaseSettings):
    """All settings of all parts; a part reads its own section."""

    model_config = SettingsConfigDict(env_prefix="ENDCAP_", env_nested_delimiter="__", extra="forbid")

    profile: Literal["local", "cluster"] = "local"
    home: Path = Field(Path(".endcap"), description="Where the local profile keeps everything it makes.")
    feature_repo_dir: Path | None = Field(None, description="The Feast repository; the installed package endcap_feature_repo unless set.")
    replay_at: UtcMoment | Literal["auto", "now"] = Field(
        "auto", description="Answer as of this instant; auto: the end of the bundle's data when that is over 28 days ago."
    )
    log_level: str = "INFO"
    log_format: LogFormat = "console"
    seed: int = 20_171_204
    data: DataSettings = DataSettings()
    features: FeatureSettings = FeatureSettings()
    training: TrainingSettings = TrainingSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    serving: ServingSettings = ServingSettings()
    consent: ConsentSettings = ConsentSettings()
    person_ids: PersonIdSettings = PersonIdSettings()
    cache: CacheSettings = CacheSettings()
    bulk: BulkSettings = BulkSettings()
    resilience: ResilienceSettings = ResilienceSettings()
    exploration: ExplorationSettings = ExplorationSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    model_server: ModelServerSettings = ModelServerSettings()
    milvus: MilvusSettings = MilvusSettings()
    mlflow: MlflowSettings = MlflowSettings()
    events: EventSettings = EventSettings()
    schemas: SchemasSettings = SchemasSettings()
    collector: CollectorSettings = CollectorSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    stream: StreamSettings = StreamSettings()
    counters: CounterSettings = CounterSettings()
    rollouts: RolloutSettings = RolloutSettings()

    @model_validator(mode="after")
    def _unset_consent_is_the_profiles(self) -> Self:
        self.consent = _CONSENT_OF_PROFILE[self.profile].model_copy(update=self.consent.model_dump(exclude_unset=True))
        return self

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
        return self.serving.bundle_dir or self.home / "served"

    @property
    def live_dir(self) -> Path:
        """What changes between two bundles: item updates and click evidence."""
        return self.serving.live_dir or self.home / "live"

    @property
    def prepared_lists_dir(self) -> Path:
        """Where prepared lists stand; what they show is written into the log when it is seen."""
        return self.live_dir / "prepared-lists"

    @property
    def rules_file(self) -> Path:
        return self.serving.rules_file or self.home / "rules.yaml"

    @property
    def event_log_dir(self) -> Path:
        """The local append-only event log."""
        return self.home / "events"

    @property
    def catalogue_log_dir(self) -> Path:
        """The local append-only log of changes of the catalogue."""
        return self.home / "catalogue"

    @property
    def dead_letter_dir(self) -> Path:
        """Events that were not taken, with their reasons."""
        return self.home / "dead_letters"

    @property
    def spool_dir(self) -> Path:
        """What Kafka has of the logs, and the lock of whoever sends them there."""
        return self.home / "spool"

    @property
    def outcomes_dir(self) -> Path:
        """What was shown and what followed: a Parquet file a day, and what they are made of."""
        return self.home / "outcomes"

    @property
    def stream_dir(self) -> Path:
        """What the stream knows: its state, and what it has not delivered yet."""
        return self.home / "stream"

    @property
    def schema_ids_file(self) -> Path:
        """The ids of schemas that a registry gave."""
        return self.schemas.ids_file or self.home / "schema_ids.json"

    @property
    def keys_dir(self) -> Path:
        """Keys that the local profile makes for itself."""
        return self.home / "keys"

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

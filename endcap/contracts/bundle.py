"""The model bundle: what is trained, evaluated, deployed, canaried and rolled back as one.

A bundle is a TensorFlow Serving version folder, `<base path>/<version>/`, so that TensorFlow Serving loads it as it is:

| file | what it holds |
| --- | --- |
| `saved_model.pb`, `variables/` | one SavedModel with the signatures of `endcap.contracts.signatures` |
| `bundle.json` | this manifest, with the size and SHA-256 of every other file |
| `tables/items.parquet` | the catalogue by item index: `endcap.catalogue.item_table` |
| `tables/vocabularies.json` | names behind category, brand and user category codes |
| `tables/item_embeddings.npy` | float32 [items + 1, dim], unit length, row 0 zeros: what the Milvus collection is built from |
| `tables/item_to_item_index.npy`, `..._weight.npy` | int32, float16 [items + 1, neighbours]: `endcap.engine.retrieval.item_to_item` |
| `tables/has_neighbours.npy` | bool [items + 1], items with a row in the table above: the others are known by their content only |
| `tables/complements_index.npy`, `..._weight.npy` | int32, float16 [items + 1, neighbours]: `endcap.engine.retrieval.complements` |
| `tables/repurchase_gap_days.npy` | float32 [items + 1], days between purchases, 0 unknown: `endcap.engine.retrieval.buy_again` |
| `tables/popularity.parquet` | segment, item_index, score: `endcap.engine.retrieval.popular` |
| `tables/trending.parquet` | the same columns: `endcap.engine.retrieval.trending` |
| `tables/similar_users_embedding.npy` | float32 [users, dim], where users stand among the items: `endcap.engine.retrieval.similar_users` |
| `tables/similar_users_index.npy`, `..._weight.npy` | int32, float32 [users, items]: what each of them buys |
| `tables/ease_index.npy`, `..._weight.npy` | int32, float16 [items + 1, neighbours]: `endcap.engine.retrieval.ease`; not in all bundles |
"""

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.evaluation import FULL, MAIN_K, ORDERED, RANKER
from endcap.contracts.learned_from import learned_from
from endcap.contracts.moment import UtcMoment
from endcap.contracts.signatures import UNTYPED_QUERY_INPUTS
from endcap.contracts.training_plan import EligibleBy

MANIFEST_NAME = "bundle.json"
FORMAT = 2
"""Version of the layout above."""

TABLES = (
    "tables/items.parquet",
    "tables/vocabularies.json",
    "tables/item_embeddings.npy",
    "tables/item_to_item_index.npy",
    "tables/item_to_item_weight.npy",
    "tables/has_neighbours.npy",
    "tables/complements_index.npy",
    "tables/complements_weight.npy",
    "tables/repurchase_gap_days.npy",
    "tables/popularity.parquet",
    "tables/trending.parquet",
    "tables/similar_users_embedding.npy",
    "tables/similar_users_index.npy",
    "tables/similar_users_weight.npy",
)
OPTIONAL_TABLES = ("tables/ease_index.npy", "tables/ease_weight.npy")
"""There where the data calls for them, both or neither."""
REQUIRED_FILES = ("saved_model.pb", "variables/variables.index", *TABLES)


class FileEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class FeatureColumns(BaseModel):
    """The columns the model was trained on; a bundle with other ones than the code's is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_numeric: list[str]
    user_categorical: list[str]
    item_numeric: list[str]
    pair_numeric: list[str]
    context: list[str]
    history_length: int


class BundleManifest(BaseModel):
    """`bundle.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(FORMAT, description="Version of this layout.")
    version: int = Field(ge=1, description="TensorFlow Serving version; UTC time of export as YYYYMMDDhhmmss.")
    created_at: UtcMoment
    endcap_version: str
    collection: str = Field(description="The Milvus collection built from this bundle's item embeddings.")
    embedding_dim: int = Field(ge=1)
    item_count: int = Field(ge=1, description="Items in the catalogue; indices run from 1 to this.")
    features: FeatureColumns
    objectives: list[str] = Field(description="What the ranker was trained for: objectives that the data reaches.")
    value: dict[str, float] = Field(
        default_factory=lambda: {"buy": 1.0},
        description="Exponents of the value product on surfaces that state none: purchases, with few of them carts and views too.",
    )
    data_start: UtcMoment = Field(description="First event the bundle knows.")
    data_end: UtcMoment = Field(description="Last event the bundle knows.")
    cut: UtcMoment = Field(description="Weights saw nothing from here on; the metrics are measured after it.")
    dataset_fingerprint: str
    quotas: dict[str, int] = Field(description="Candidates a source, as in training the ranker.")
    metrics: dict[str, float] = Field(description="Offline metrics, named model/metric@k.")
    main_k: int = Field(MAIN_K, ge=1, description="Length at which lists are judged, for the names of the metrics.")
    ordered_by: str = Field(
        RANKER, description="What `rank` answers with: the ranker's probabilities, or those of the simple method that orders in its place."
    )
    order_figures: dict[str, float] = Field(
        default_factory=dict, description="NDCG at `main_k` of the same candidates by what could order them, the ranker among them."
    )
    query_inputs: tuple[str, ...] = Field(UNTYPED_QUERY_INPUTS, description="Inputs that `encode_query` takes.")
    uses_two_tower: bool = Field(True, description="Whether the two-tower brings candidates to a person's lists.")
    signals: dict[str, float] = Field(
        default_factory=dict, description="Event types that it learned from, with the weight of each; empty where purchases were all."
    )
    next_of: list[str] = Field(default_factory=list, description="Event types of which the two-tower learned to find the next one.")
    eligible_by: EligibleBy = Field(
        "purchases", description="Who makes an item a candidate: its buyers, or all people and visits that did anything with it."
    )
    notes: list[str] = Field(default_factory=list, description="Where events are not used as asked for, as sentences with figures.")
    run_id: str | None = Field(None, description="MLflow run that made it.")
    untrained: dict[str, str] = Field(
        default_factory=dict,
        description="Parts that the data did not allow to train, with the reason; both two_tower and ranker: nothing personal.",
    )
    accepted_uncompared: str | None = Field(
        None, description="Why it could not be compared with the champion, where somebody accepted it so; empty when it was compared."
    )
    files: dict[str, FileEntry]

    @property
    def name(self) -> str:
        return f"endcap-{self.version}"

    @property
    def learned_from(self) -> str:
        """What its lists come from, as a sentence."""
        return learned_from(self.signals, self.next_of, self.objectives, self.eligible_by)

    @property
    def headline_metric(self) -> str:
        """Under this name `metrics` has what the served order is worth."""
        return f"{FULL if self.ordered_by == RANKER else ORDERED}/ndcg@{self.main_k}"

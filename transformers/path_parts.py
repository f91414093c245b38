"""The request path of one process, put together from the settings."""

from endcap.clock import system_clock
from endcap.event_log.queued import QueuedEventLog
from endcap.exploration.policies import policy_of
from endcap.settings import Settings
from endcap.surfaces.surfaces_file import load_surfaces
from transformers.features import FeatureReader, OnlineRead
from transformers.guards import Guards
from transformers.impressions import ImpressionLog
from transformers.listing import Curiosity
from transformers.metrics import ServingMetrics
from transformers.model_server_client import ModelServerClient
from transformers.query import QueryEncoder
from transformers.request_path import PathParts
from transformers.sources.registry import source_registry
from transformers.sources.two_tower import VectorSearch
from transformers.stale_answers import StaleAnswers
from transformers.surface_plan import surface_plans


def path_parts(  # noqa: PLR0917
    settings: Settings, store: OnlineRead, search: VectorSearch, model: ModelServerClient, log: QueuedEventLog, metrics: ServingMetrics
) -> PathParts:
    """Make what all requests of a process share.

    Args:
        settings: all settings.
        store: the online feature store.
        search: the vector search.
        model: client of the model server.
        log: where impressions go.
        metrics: of this process.

    Raises:
        InvalidInput: the surfaces file cannot be used.
    """
    surfaces = load_surfaces(settings.serving.surfaces_file)
    timeout_ms = settings.serving.retrieval_timeout_ms
    return PathParts(
        settings=settings,
        plans=surface_plans(surfaces, source_registry(search, timeout_ms), timeout_ms),
        features=FeatureReader(store, settings, metrics),
        encoder=QueryEncoder(model, settings.cache, metrics),
        model=model,
        curiosity=Curiosity(policy_of(settings.exploration), settings.exploration),
        metrics=metrics,
        guards=Guards(settings.resilience, metrics),
        stale=StaleAnswers(settings.cache, metrics.cache("stale_answers")),
        impressions=ImpressionLog(log, system_clock, metrics, settings.consent),
    )

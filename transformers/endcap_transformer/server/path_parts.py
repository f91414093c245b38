"""The request path of one process, put together from the settings."""

from endcap.core.clock import system_clock
from endcap.core.settings import Settings
from endcap.engine.exploration.policies import policy_of
from endcap.engine.surfaces.surface import load_surfaces
from endcap.events.log.queued import QueuedEventLog
from endcap_transformer.clients.model_server_client import ModelServerClient
from endcap_transformer.path.features import FeatureReader, OnlineRead
from endcap_transformer.path.impressions import ImpressionLog
from endcap_transformer.path.listing import Curiosity
from endcap_transformer.path.query import QueryEncoder
from endcap_transformer.path.request_path import PathParts
from endcap_transformer.path.sources.registry import source_registry
from endcap_transformer.path.sources.two_tower import VectorSearch
from endcap_transformer.path.surface_plan import surface_plans
from endcap_transformer.resilience.guards import Guards
from endcap_transformer.resilience.stale_answers import StaleAnswers
from endcap_transformer.telemetry.metrics import ServingMetrics


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

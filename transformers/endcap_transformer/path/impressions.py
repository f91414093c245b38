"""Impressions: every list that went out is written to the event log, without the request waiting for it or failing by it."""

from endcap.contracts.answer import Answer
from endcap.contracts.request import Instance
from endcap.core.clock import Clock
from endcap.core.settings import ConsentSettings
from endcap.events.log.batches import Impressions, known_by
from endcap.events.log.queued import QueuedEventLog
from endcap_transformer.path.consent import EffectiveConsent, consent_of
from endcap_transformer.resilience.answer_cache import SharedAnswers, request_ids
from endcap_transformer.telemetry.metrics import ServingMetrics


class ImpressionLog:
    """Writes lists to the event log.

    Args:
        log: never blocks.
        clock: the present, UTC; a bundle's replayed clock would put events where they did not happen.
        metrics: where they are counted.
        consent: what holds where a request does not say.
        served_by: name of the InferenceService that makes the lists.
    """

    def __init__(
        self, log: QueuedEventLog, clock: Clock, metrics: ServingMetrics, consent: ConsentSettings, served_by: str | None = None
    ) -> None:
        self._log = log
        self._served_by = served_by
        self._consent = consent
        self._clock = clock
        self._metrics = metrics

    def log(self, instance: Instance, made: Answer) -> None:
        """Log one list."""
        if made.recommendations:
            self._log.emit(impressions_of(instance, made, consent_of(instance, self._consent), self._clock, self._served_by))
            self._metrics.impressions.inc(len(made.recommendations))

    def log_shared(self, shared: SharedAnswers, request_id: str) -> None:
        """Log lists that were given to one more request."""
        ids = request_ids(request_id, len(shared.answers))
        for instance, made, own_id in zip(shared.instances, shared.answers, ids, strict=True):
            self.log(instance, made.model_copy(update={"request_id": own_id}))


def impressions_of(instance: Instance, made: Answer, consent: EffectiveConsent, clock: Clock, served_by: str | None = None) -> Impressions:
    """The events of one list."""
    listed = made.recommendations
    user_id, session_id = known_by(instance.user_id, instance.session_id, analytics=consent.analytics)
    return Impressions(
        request_id=made.request_id,
        user_id=user_id,
        session_id=session_id,
        surface=instance.surface,
        device=instance.context.device,
        item_ids=[item.item_id for item in listed],
        positions=[item.position for item in listed],
        propensities=[item.propensity for item in listed],
        sources=[item.source for item in listed],
        bundle=made.bundle,
        variant=made.variant,
        now=clock(),
        consent=consent.personalisation,
        consent_analytics=consent.analytics,
        served_by=served_by,
    )

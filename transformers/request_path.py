"""The way of one request, from an instance to its answer: every stage in order."""

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.answer import Answer
from endcap.contracts.request import Instance
from endcap.retrieval.candidates import CandidateSet, union
from endcap.settings import Settings
from transformers.answering import answer, recommendations
from transformers.eligibility import eligibility
from transformers.fallback import filled
from transformers.features import FeatureReader, state_of
from transformers.guards import Guards
from transformers.metrics import ServingMetrics
from transformers.model_server_client import ModelServerClient
from transformers.query import Person, Query, encode_query
from transformers.ranking import RankedCandidates, order, page_closeness, rank_probabilities, with_query_scores
from transformers.resolving import ResolvedRequest, resolve
from transformers.retrieval import TwoTowerSearch, retrieve
from transformers.served_bundle import ServedBundle
from transformers.stage_trace import StageTrace


class RequestPath:
    """Everything a request needs beside its bundle.

    A stage that is late or fails is named in the answer's `degraded` and the path goes on: without features as for an unknown user,
    without a query or Milvus on the sources in memory, without the ranker in order of the fused retrieval ranks. Of somebody without
    any history there is nothing to encode or rank by: the list is what goes with the request's items, and what is popular.
    """

    def __init__(
        self,
        settings: Settings,
        features: FeatureReader,
        search: TwoTowerSearch,
        model: ModelServerClient,
        metrics: ServingMetrics,
    ) -> None:
        self._limits = settings.serving
        self._features = features
        self._search = search
        self._model = model
        self._metrics = metrics
        self._guards = Guards(settings.resilience, metrics)

    async def recommend(self, instance: Instance, served: ServedBundle, request_id: str, parsed_ms: float = 0.0) -> Answer:
        """Make one list.

        Args:
            instance: a valid request.
            served: the bundle that answers, the same one in every stage.
            request_id: what the answer's events will name.
            parsed_ms: time its parsing took.
        """
        trace = StageTrace(self._limits.request_budget_ms, self._metrics, self._guards)
        with trace.stage("parse"):
            request = resolve(instance, served)
        trace.timings_ms["parse"] += parsed_ms
        person = await self._person(request, trace)
        query = await self._query(request, person, trace)
        with trace.stage("eligibility"):
            eligible = eligibility(request, person.state)
        with trace.stage("retrieval"):
            timeout_ms = self._limits.retrieval_timeout_ms
            by_source = await retrieve(self._search, request, person.state, query, eligible, trace=trace, timeout_ms=timeout_ms)
            candidates = union(by_source, served.quotas.candidates_max)
        with trace.stage("rank"):
            ranked = await self._ranked(candidates, request, person, query, trace)
        with trace.stage("respond"):
            best = filled(ranked, request, eligible, self.wanted(instance))
            listed = recommendations(best, request, person.state)
        trace.finish(parsed_ms)
        self._metrics.requests.labels(instance.surface.value).inc()
        return answer(listed, request, request_id, trace)

    def wanted(self, instance: Instance) -> int:
        """How many items a request asks for."""
        return instance.k if "k" in instance.model_fields_set else self._limits.k_default

    async def _person(self, request: ResolvedRequest, trace: StageTrace) -> Person:
        row = None
        with trace.stage("features"):
            async with trace.fallible("features", self._limits.features_timeout_ms):
                row = await self._features.read(request.instance.user_id, request.instance.session_id)
            return Person.of(state_of(row, request), request)

    async def _query(self, request: ResolvedRequest, person: Person, trace: StageTrace) -> Query | None:
        query = None
        if not person.state.is_known and not len(person.state.history):
            return query
        with trace.stage("query"):
            async with trace.fallible("query", self._limits.retrieval_timeout_ms):
                query = await encode_query(self._model, request.served.manifest.version, person)
        return query

    async def _ranked(
        self, candidates: CandidateSet, request: ResolvedRequest, person: Person, query: Query | None, trace: StageTrace
    ) -> RankedCandidates:
        probabilities: dict[str, NDArray[np.float32]] = {}
        closeness = page_closeness(candidates) if request.is_page else None
        if query is not None and len(candidates):
            scored = with_query_scores(candidates, query, request.served) if request.is_page else candidates
            async with trace.fallible("rank", self._limits.rank_timeout_ms):
                probabilities = await rank_probabilities(self._model, scored, request, person, query)
        elif "query" in trace.degraded:
            trace.skip("rank")
        return order(candidates, probabilities, closeness)

"""The way of one request, from an instance to its answer: every stage in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.answer import Answer, Recommendation
from endcap.contracts.request import Instance
from endcap.core.settings import Settings
from endcap.engine.retrieval.candidates import CandidateSet, union
from endcap.engine.retrieval.popular import segment_name, segments_of
from endcap.engine.rules.active_rules import ActiveRules
from endcap.engine.rules.context import RuleContext
from endcap_transformer.clients.model_server_client import ModelServerClient
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.answering import Shown, answer, once_more, recommendations
from endcap_transformer.path.consent import consent_of
from endcap_transformer.path.eligibility import Eligibility
from endcap_transformer.path.fallback import last_resort
from endcap_transformer.path.features import FeatureReader, Row, session_bought, state_of
from endcap_transformer.path.impressions import ImpressionLog
from endcap_transformer.path.listing import Curiosity, RuledCandidates, ruled, slate_of
from endcap_transformer.path.query import Person, Query, QueryEncoder
from endcap_transformer.path.ranking import RankedCandidates, rank_probabilities, valued, with_query_scores
from endcap_transformer.path.resolving import NO_ITEMS, ResolvedRequest, resolve
from endcap_transformer.path.retrieval import retrieve
from endcap_transformer.path.rule_stage import exclusion, rule_effects
from endcap_transformer.path.sources.source import SourceRequest
from endcap_transformer.path.stage_trace import StageTrace
from endcap_transformer.path.surface_plan import SurfacePlan, plan_of
from endcap_transformer.resilience.cached_lookup import Absent
from endcap_transformer.resilience.guards import Guards
from endcap_transformer.resilience.stale_answers import StaleAnswers, stale_key
from endcap_transformer.telemetry.list_counts import count_list
from endcap_transformer.telemetry.metrics import ServingMetrics
from endcap_transformer.telemetry.own_cpu import Metered


@dataclass(frozen=True)
class PathParts:
    """What all requests of a process share.

    Attributes:
        plans: by surface.
        curiosity: how lists explore.
    """

    settings: Settings
    plans: Mapping[str, SurfacePlan]
    features: FeatureReader
    encoder: QueryEncoder
    model: ModelServerClient
    curiosity: Curiosity
    metrics: ServingMetrics
    guards: Guards
    stale: StaleAnswers
    impressions: ImpressionLog


class RequestPath:
    """The request path of one process.

    A stage that is late or fails is named in the answer's `degraded` and the path goes on: without features as for an unknown user,
    without a query or Milvus on the sources in memory, without the ranker in order of the fused retrieval ranks. When not even the
    person's features can be read, the last complete answer they got comes before what is popular. Of somebody without any history
    there is nothing to encode or rank by: the list is what goes with the request's items, and what is popular. Without
    consent to personalisation nothing is read, and no list of the person is remembered or recalled.
    """

    def __init__(self, parts: PathParts) -> None:
        self._parts = parts
        self._limits = parts.settings.serving
        self._metrics = parts.metrics

    def check(self, instances: Sequence[Instance]) -> None:
        """Refuse what no surface can answer.

        Raises:
            InvalidInput: names the first instance whose surface is unknown or lacks its items.
        """
        for place, instance in enumerate(instances):
            plan_of(instance, self._parts.plans, place)

    def wanted(self, instance: Instance) -> int:
        """How many items a request asks for."""
        return instance.k if "k" in instance.model_fields_set else self._limits.k_default

    async def recommend(
        self, instance: Instance, served: ServedBundle, request_id: str, parsed_ms: float = 0.0, is_shown: bool = True
    ) -> Answer:
        """Make one list.

        Args:
            instance: a valid request.
            served: the bundle that answers, the same one in every stage.
            request_id: what the answer's events will name.
            parsed_ms: time its parsing took.
            is_shown: whether somebody will see it, so that it counts and is logged.

        Raises:
            InvalidInput: its surface is unknown or lacks its items.
        """
        return await Metered(self._recommend(instance, served, request_id, parsed_ms, is_shown=is_shown), self._metrics.own_cpu.inc)

    async def _recommend(self, instance: Instance, served: ServedBundle, request_id: str, parsed_ms: float, *, is_shown: bool) -> Answer:
        trace = StageTrace(self._limits.request_budget_ms - parsed_ms, self._metrics, self._parts.guards)
        plan = plan_of(instance, self._parts.plans)
        trace.spans.describe(surface=instance.surface, bundle=served.name)
        with trace.stage("parse"):
            consent = consent_of(instance, self._parts.settings.consent)
            request = resolve(instance, served, plan.surface, consent, request_id, is_shown=is_shown)
        trace.timings_ms["parse"] += parsed_ms
        row = await self._row(request, trace)
        if "features" in trace.degraded and (last := self._last_list(request)):
            return self._answered(last, request, trace, parsed_ms)
        with trace.stage("features"):
            person = Person.of(state_of(row, request), request)
        query = await self._query(request, person, trace)
        with trace.stage("eligibility"):
            asked = self._asked(request, person, query, row)
        with trace.stage("retrieval"):
            candidates = union(await retrieve(plan.sources, asked, trace, self._metrics), served.quotas.candidates_max)
        self._metrics.ranked_candidates.observe(len(candidates))
        with trace.stage("rank"):
            ranked = await self._ranked(candidates, request, person, query, trace)
        with trace.stage("rules"):
            after_rules = ruled(ranked, rule_effects(ranked, asked))
        shown = self._shown(after_rules, asked, trace)
        with trace.stage("respond"):
            listed = recommendations(shown, asked, self._parts.curiosity.policy.name)
            if is_shown:
                count_list(self._metrics, shown, asked, self._parts.curiosity)
        if not trace.degraded and person.state.is_known:
            self._parts.stale.remember(stale_key(instance, served.name), shown.index, shown.score)
        return self._answered(listed, request, trace, parsed_ms)

    async def _row(self, request: ResolvedRequest, trace: StageTrace) -> Row:
        row = None
        if not request.is_personal:
            return row
        kept = self._parts.features.kept(request.user_id, request.session_id)
        if not isinstance(kept, Absent):
            return kept
        with trace.stage("features"):
            async with trace.fallible("features", self._limits.features_timeout_ms) as admitted:
                if admitted:
                    row = await self._parts.features.read(request.user_id, request.session_id)
        return row

    async def _query(self, request: ResolvedRequest, person: Person, trace: StageTrace) -> Query | None:
        query = None
        if not person.state.is_known and not len(person.state.history):
            return query
        with trace.stage("query"):
            query = self._parts.encoder.kept(request.served, person)
            if query is None:
                async with trace.fallible("query", self._limits.retrieval_timeout_ms) as admitted:
                    if admitted:
                        query = await self._parts.encoder.encode(request.served, person)
        return query

    def _asked(self, request: ResolvedRequest, person: Person, query: Query | None, row: Row) -> SourceRequest:
        """What sources look at, and the rules that hold."""
        context, served = request.instance.context, request.served
        segments = segments_of(person.state.categories, served.tables.user_vocabularies)
        if context.geo:
            segments = [segment_name("region", context.geo), *segments]
        active = _active_rules(request, segments)
        eligible = Eligibility(request, person.state, served.rules.excluded(active))
        return SourceRequest(request, person.state, query, eligible, segments, session_bought(row, request), active)

    async def _ranked(
        self, candidates: CandidateSet, request: ResolvedRequest, person: Person, query: Query | None, trace: StageTrace
    ) -> RankedCandidates:
        probabilities: dict[str, NDArray[np.float32]] = {}
        if query is not None and len(candidates):
            async with trace.fallible("rank", self._limits.rank_timeout_ms) as admitted:
                if admitted:
                    scored = with_query_scores(candidates, query, request.served) if request.is_page else candidates
                    probabilities = await rank_probabilities(self._parts.model, scored, request, person, query)
        elif "query" in trace.degraded:
            trace.skip("rank")
        return valued(candidates, probabilities, request)

    def _shown(self, after_rules: RuledCandidates, asked: SourceRequest, trace: StageTrace) -> Shown:
        """The slate, and for the places that the candidates left open the last resort."""
        request, parts = asked.request, self._parts
        wanted = self.wanted(request.instance)
        with trace.stage("slate"):
            slate = slate_of(after_rules, request, wanted, parts.curiosity)
        if len(slate) == wanted:
            return Shown(after_rules, slate, NO_ITEMS)
        with trace.stage("fallback"):
            there = after_rules.ranked.candidates.index[slate.rows]
            rest = last_resort(asked, there, wanted - len(slate), exclusion(asked))
        return Shown(after_rules, slate, rest)

    def _last_list(self, request: ResolvedRequest) -> list[Recommendation]:
        """The last complete list of the same person and question, as far as it may still be shown; empty when there is none."""
        kept = self._parts.stale.recall(stale_key(request.instance, request.served.name))
        if kept is None:
            return []
        eligible = Eligibility(request, state_of(None, request), request.served.rules.excluded(_active_rules(request, ())))
        still = np.flatnonzero(eligible.of(kept.item_index))[: self.wanted(request.instance)]
        return once_more(kept.item_index[still], kept.score[still], request)

    def _answered(self, listed: list[Recommendation], request: ResolvedRequest, trace: StageTrace, parsed_ms: float) -> Answer:
        trace.finish(parsed_ms)
        made = answer(listed, request, trace)
        if request.is_shown:
            surface = self._metrics.surface(request.instance.surface)
            surface.lists.inc()
            surface.seconds.observe(trace.timings_ms["total"] / 1000)
            if trace.degraded:
                surface.degraded.inc()
            self._parts.impressions.shown(request.instance, made)
        return made


def _active_rules(request: ResolvedRequest, segments: Sequence[str]) -> ActiveRules:
    """The rules that hold for a person of some segments."""
    context = request.instance.context
    region = context.geo or _region(segments)
    surface, variant = request.instance.surface, request.served.variant
    return request.served.rules.active(RuleContext(surface, tuple(segments), request.now, context.device, region, variant))


def _region(segments: Sequence[str]) -> str | None:
    return next((name.partition("=")[2] for name in segments if name.startswith("region=")), None)

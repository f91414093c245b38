"""The way of one request, from an instance to its answer: every stage in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.answer import Answer, Recommendation
from endcap.contracts.request import Instance
from endcap.core.settings import Settings
from endcap.engine.retrieval.candidates import CandidateSet, union
from endcap.engine.retrieval.popular import segment_name, segments_of
from endcap.engine.rules.active_rules import ActiveRules
from endcap.engine.rules.context import RuleContext
from endcap.engine.slate.families import places_before_twins
from endcap_transformer.clients.model_server_client import PredictCall
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.answering import RenderedList, answer, count_list, recommendations, stale_recommendations
from endcap_transformer.path.consent import consent_of
from endcap_transformer.path.eligibility import Eligibility
from endcap_transformer.path.fallback import last_resort
from endcap_transformer.path.features import Features, Row, session_bought, state_of
from endcap_transformer.path.impressions import ImpressionLog
from endcap_transformer.path.query import Person, Query, QueryEncoder
from endcap_transformer.path.ranking import RankedCandidates, rank_by_value, rank_probabilities, with_query_scores
from endcap_transformer.path.resolving import NO_ITEMS, ResolvedRequest, resolve
from endcap_transformer.path.retrieval import retrieve
from endcap_transformer.path.rules import RuledCandidates, apply_rules, exclusion, rule_effects
from endcap_transformer.path.slate import ExplorationConfig, slate_of
from endcap_transformer.path.sources.source import SourceRequest
from endcap_transformer.path.stage_trace import StageTrace
from endcap_transformer.path.surface_plan import SurfacePlan, plan_of
from endcap_transformer.resilience.cached_lookup import Missing
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.resilience.guards import Guards
from endcap_transformer.resilience.stale_answers import StaleAnswers, stale_key
from endcap_transformer.telemetry.metrics import ServingMetrics
from endcap_transformer.telemetry.own_cpu import Metered


class ListPurpose(Enum):
    """What a list is made for."""

    SHOPPER = auto()
    """Somebody waits for it."""
    PAGE = auto()
    """One of a few of the same request, which wait for each other."""
    SPARE = auto()
    """Somebody waits for it whose request found no place among those in work: made of what is in memory."""
    BULK = auto()
    """One of the bulk lane's, which has a budget and counts of its own."""
    PREPARED = auto()
    """One of the bulk lane's that nobody sees yet: no impression."""
    WARM_UP = auto()
    """Nobody sees it: neither counted nor logged as an impression."""


IN_BULK = frozenset({ListPurpose.BULK, ListPurpose.PREPARED})
UNSEEN = frozenset({ListPurpose.PREPARED, ListPurpose.WARM_UP})


@dataclass(frozen=True)
class PathParts:
    """What all requests of a process share.

    Attributes:
        plans: by surface.
        exploration: how lists explore.
        limit: of requests in work, which learns from each shopper's list.
    """

    settings: Settings
    plans: Mapping[str, SurfacePlan]
    features: Features
    encoder: QueryEncoder
    model: PredictCall
    exploration: ExplorationConfig
    metrics: ServingMetrics
    guards: Guards
    stale: StaleAnswers
    impressions: ImpressionLog
    limit: ConcurrencyLimit


class RequestPath:
    """The request path of one process.

    A stage that is late or fails is named in the answer's `degraded` and the path goes on: without features as for an unknown user,
    without a query or Milvus on the sources in memory, without the ranker in order of the fused retrieval ranks. When not even the
    person's features can be read, or no part may be called, the last complete answer they got comes before what is popular. A person
    without any history has nothing to encode or rank by: the list is what goes with the request's items, and what is popular. Without
    consent to personalisation nothing is read, and no list of the person is remembered or recalled.
    """

    def __init__(self, parts: PathParts) -> None:
        self._parts = parts
        self._limits = parts.settings.serving
        self._metrics = parts.metrics

    def plans(self, instances: Sequence[Instance]) -> list[SurfacePlan]:
        """The plan of each instance's surface.

        Raises:
            InvalidInput: names the first instance whose surface is unknown or lacks its items.
        """
        return [plan_of(instance, self._parts.plans, place) for place, instance in enumerate(instances)]

    def wanted(self, instance: Instance) -> int:
        """How many items a request wants."""
        return instance.k if "k" in instance.model_fields_set else self._limits.k_default

    async def recommend(  # noqa: PLR0917 - what a request knows by now
        self,
        instance: Instance,
        plan: SurfacePlan,
        served: ServedBundle,
        request_id: str,
        parsed_ms: float = 0.0,
        purpose: ListPurpose = ListPurpose.SHOPPER,
    ) -> Answer:
        """Make one list.

        Args:
            instance: a valid request.
            plan: of its surface.
            served: the bundle that answers, the same one in every stage.
            request_id: what the answer's events will name.
            parsed_ms: time its parsing took.
            purpose: what it is made for.
        """
        began, limit_ms = self._parts.limit.begin(), self._limits.request_budget_ms
        trace = StageTrace(
            limit_ms - parsed_ms,
            self._metrics,
            self._parts.guards,
            is_timed=purpose not in IN_BULK,
            may_call=purpose is not ListPurpose.SPARE,
        )
        is_logged = purpose not in UNSEEN
        made = await Metered(
            self._recommend(instance, plan, served, request_id, parsed_ms, trace, is_logged=is_logged), self._metrics.own_cpu.inc
        )
        is_late = trace.is_cut or trace.timings_ms["total"] > limit_ms
        if purpose is ListPurpose.SHOPPER and (is_late or not trace.degraded):
            self._parts.limit.ended(began, in_time=not is_late)
        if purpose in IN_BULK:
            self._metrics.bulk_list(instance.surface, is_degraded=bool(trace.degraded))
        return made

    async def _recommend(  # noqa: PLR0917
        self,
        instance: Instance,
        plan: SurfacePlan,
        served: ServedBundle,
        request_id: str,
        parsed_ms: float,
        trace: StageTrace,
        *,
        is_logged: bool,
    ) -> Answer:
        trace.spans.describe(surface=instance.surface, bundle=served.name)
        with trace.stage("parse"):
            consent = consent_of(instance, self._parts.settings.consent)
            request = resolve(instance, served, plan.surface, consent, request_id, is_logged=is_logged)
        trace.timings_ms["parse"] += parsed_ms
        row = await self._row(request, trace)
        if ("features" in trace.degraded or not trace.may_call) and (last := self._last_list(request)):
            if not trace.may_call:
                trace.skip("rank")
            return self._answered(last, request, trace, parsed_ms)
        with trace.stage("features"):
            person = Person.of(state_of(row, request), request)
        query = await self._query(request, person, trace)
        with trace.stage("eligibility"):
            source_request = self._source_request(request, person, query, row)
        with trace.stage("retrieval"):
            candidates = union(await retrieve(plan.sources, source_request, trace, self._metrics), served.quotas.candidates_max)
        self._metrics.ranked_candidates.observe(len(candidates))
        with trace.stage("rank"):
            ranked = await self._ranked(candidates, request, person, query, trace)
        with trace.stage("rules"):
            after_rules = apply_rules(ranked, rule_effects(ranked, source_request))
        rendered = self._rendered(after_rules, source_request, trace)
        with trace.stage("respond"):
            listed = recommendations(rendered, source_request, self._parts.exploration.policy.name)
            if is_logged:
                count_list(self._metrics, rendered, source_request, self._parts.exploration)
        if not trace.degraded and request.is_personal and (person.state.is_known or len(person.state.history)):
            self._parts.stale.remember(stale_key(instance, served.name), rendered.index, rendered.score)
        return self._answered(listed, request, trace, parsed_ms)

    async def _row(self, request: ResolvedRequest, trace: StageTrace) -> Row:
        row = None
        if not request.is_personal:
            return row
        cached = self._parts.features.cached(request.user_id, request.session_id)
        if not isinstance(cached, Missing):
            return cached
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
            query = self._parts.encoder.cached(request.served, person)
            if query is None:
                async with trace.fallible("query", self._limits.retrieval_timeout_ms) as admitted:
                    if admitted:
                        query = await self._parts.encoder.encode(request.served, person)
        return query

    def _source_request(self, request: ResolvedRequest, person: Person, query: Query | None, row: Row) -> SourceRequest:
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
        return rank_by_value(candidates, probabilities, request)

    def _rendered(self, after_rules: RuledCandidates, source_request: SourceRequest, trace: StageTrace) -> RenderedList:
        """The slate, and for the places that the candidates left open the last resort."""
        request, parts = source_request.resolved, self._parts
        wanted = self.wanted(request.instance)
        with trace.stage("slate"):
            whole = slate_of(after_rules, request, wanted, parts.exploration)
            kept = places_before_twins(whole)
        if kept == wanted:
            return RenderedList(after_rules, whole, NO_ITEMS)
        with trace.stage("fallback"):
            there = after_rules.ranked.candidates.index[whole.rows]
            rest = last_resort(source_request, there[:kept], there[kept:], wanted - kept, exclusion(source_request))
        return RenderedList(after_rules, whole.head(kept) if kept < len(whole) else whole, rest)

    def _last_list(self, request: ResolvedRequest) -> list[Recommendation]:
        """The last complete list of the same person and question, as far as it may still be shown; empty when there is none."""
        kept = self._parts.stale.recall(stale_key(request.instance, request.served.name))
        if kept is None:
            return []
        eligible = Eligibility(request, state_of(None, request), request.served.rules.excluded(_active_rules(request, ())))
        still = np.flatnonzero(eligible.of(kept.item_index))[: self.wanted(request.instance)]
        return stale_recommendations(kept.item_index[still], kept.score[still], request)

    def _answered(self, listed: list[Recommendation], request: ResolvedRequest, trace: StageTrace, parsed_ms: float) -> Answer:
        trace.finish(parsed_ms)
        made = answer(listed, request, trace)
        if request.is_logged:
            if trace.is_timed:
                self._count(request.instance.surface, trace)
            self._parts.impressions.log(request.instance, made)
        return made

    def _count(self, name: str, trace: StageTrace) -> None:
        surface = self._metrics.surface(name)
        surface.lists.inc()
        surface.seconds.observe(trace.timings_ms["total"] / 1000)
        if trace.degraded:
            surface.degraded.inc()


def _active_rules(request: ResolvedRequest, segments: Sequence[str]) -> ActiveRules:
    """The rules that hold for a person of some segments."""
    context = request.instance.context
    region = context.geo or _region(segments)
    surface, variant = request.instance.surface, request.served.variant
    return request.served.rules.active(RuleContext(surface, tuple(segments), request.now, context.device, region, variant))


def _region(segments: Sequence[str]) -> str | None:
    return next((name.partition("=")[2] for name in segments if name.startswith("region=")), None)

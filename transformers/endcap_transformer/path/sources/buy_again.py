"""Buy-again: what the person buys regularly, most likely first."""

from endcap.engine.retrieval.buy_again import buy_again_candidates
from endcap.engine.retrieval.candidates import Candidates
from endcap_transformer.path.sources.source import SourceRequest


def buy_again(asked: SourceRequest, quota: int) -> Candidates:
    return buy_again_candidates(asked.request.served.tables.repurchase_gap_days, asked.state, asked.eligible.of, quota)

"""One look at a rollout's metrics: which versions, at which moment, how far back."""

from collections.abc import Mapping
from dataclasses import dataclass

from endcap_rollout_operator.guardrails.prometheus import Prometheus


@dataclass(frozen=True, slots=True)
class Look:
    """Asks for what one version's pods did; every answer is about the same moment.

    A version's pods are known by `endcap_bundle_info` of the same `instance`. Its greatest value over the whole range counts, so that
    a pod that has gone meanwhile still counts with what it did. A pod that served another version within the range is left out: its
    counters do not say which version they are of. A pod that has not loaded its bundle yet has the metric without labels.

    Attributes:
        prometheus: where metrics are read.
        moment: Unix time the look is about.
        candidate: version of its bundle.
        stable: version of its bundle; None when there is none.
        window_s: what is looked back over, whole seconds; never reaches behind the step's start.
        elapsed_s: whole seconds since the step's start.
        full_window_s: the window that would be looked back over if the step had begun long ago.
        outcome_window_s: how long after it was shown a list is counted in the outcomes' counters, whole seconds.
        matchers: further PromQL label matchers of `endcap_bundle_info` and of the outcomes' counters, separated by commas; may be empty.
    """

    prometheus: Prometheus
    moment: float
    candidate: int
    stable: int | None
    window_s: int
    elapsed_s: int
    full_window_s: int
    outcome_window_s: int = 0
    matchers: str = ""

    def increase(self, counter: str, version: int) -> float | None:
        """How much a counter of a version's pods grew, extrapolated to the range's ends as PromQL does; None without data.

        Args:
            counter: its name.
            version: whose pods.
        """
        return self.prometheus.number(f"sum({self._increase(counter, version, f'[{self.window_s}s]')})", self.moment)

    def buckets(self, histogram: str, version: int, *, before_step: bool = False) -> Mapping[float, float]:
        """How much a histogram of a version's pods grew, by upper bound, cumulated as Prometheus keeps it; empty without data.

        Args:
            histogram: its name.
            version: whose pods.
            before_step: over the full window that ends where the step begins.
        """
        over = f"[{self.full_window_s}s] offset {self.elapsed_s}s" if before_step else f"[{self.window_s}s]"
        query = f"sum by (le) ({self._increase(f'{histogram}_bucket', version, over)})"
        found = self.prometheus.by_label(query, "le", self.moment)
        return dict(sorted((float(bound), number) for bound, number in found.items()))

    def outcome(self, counter: str, version: int) -> float | None:
        """How much a counter with a label `version` of its own grew by lists of this step; None without data.

        What is counted within the window after the step's start are lists of the step before.
        """
        labels = self._labels(f'version="{version}"')
        return self.prometheus.number(f"sum(increase({counter}{labels}[{self.elapsed_s - self.outcome_window_s}s]))", self.moment)

    def _increase(self, metric: str, version: int, over: str) -> str:
        own, others = self._labels(f'version="{version}"'), self._labels(f'version!="", version!="{version}"')
        return (
            f"increase({metric}{over})"
            f" and on (instance) max_over_time(endcap_bundle_info{own}{over})"
            f" unless on (instance) max_over_time(endcap_bundle_info{others}{over})"
        )

    def _labels(self, matchers: str) -> str:
        return f"{{{matchers}, {self.matchers}}}" if self.matchers else f"{{{matchers}}}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value, or why there is none.

    Attributes:
        value: of the candidate; None when it is missing.
        message: for people: the counts behind the value, or why it is missing.
        stable: the same of the stable version, where that makes sense.
        enough: whether the value rests on enough data to be a success.
        certain: whether so little data is enough to be a failure: the value cannot be on the right side by chance.
        unanswered: whether Prometheus did not answer, so that further queries are in vain.
        stands: whether the measurement before still says all there is to say, if it was a success.
    """

    value: float | None
    message: str
    stable: float | None = None
    enough: bool = True
    certain: bool = False
    unanswered: bool = False
    stands: bool = False


def missing(why: str, stable: float | None = None) -> Reading:
    """A reading without a value."""
    return Reading(None, why, stable)

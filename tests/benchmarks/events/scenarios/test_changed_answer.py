from endcap_benchmarks.events.load.visits import Probe, Watched
from endcap_benchmarks.events.scenarios.changed_answer import EVENTS_A_VISIT, _of_probes, waited_ms

QUICK = Probe(True, 5.0, 400.0, 2, 0)
STAYED = Probe(True, 5.0, None, 40, 3)
REFUSED = Probe(False, 5.0, None, 0, 0)


def test_what_never_changed_counts_as_the_whole_patience() -> None:
    assert waited_ms([QUICK, STAYED, REFUSED], 2, 7.5).tolist() == [400.0, *[7_500] * 4]


def test_every_event_is_counted_whatever_became_of_it() -> None:
    watched = [Watched(True, [QUICK] * 3 + [STAYED], True), Watched(True, [REFUSED] * 4, False), Watched(False, [], None)]
    figures = _of_probes(watched, 7.5)
    assert figures["probes"] == 3 * EVENTS_A_VISIT
    assert (figures["never_changed"], figures["not_accepted"], figures["without_list"]) == (1, 4, 4)
    assert (figures["controls"], figures["controls_changed"], figures["controls_changed_share"]) == (2, 1, 0.5)
    assert figures["p99_ms"]["accepted to changed answer"] == 7_500
    assert figures["looks_degraded_share"] == round(3 / 46, 4)

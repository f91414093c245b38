"""Preparing lists: part by part, several requests under way, what is there already left alone."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from endcap.contracts.answer import Answer
from endcap.core.clock import Clock
from endcap.prepared_lists.bulk_endpoint import BulkEndpoint
from endcap.prepared_lists.people import People, Share
from endcap.prepared_lists.prepared_folder import PreparedFolder, rows_of

LISTS_A_REQUEST = 80
"""Ten batches of the lane's eight."""
AT_ONCE = 2
"""One request in work, one that waits, so that the lane is never without."""
ASKED_AGAIN = 2
"""How often a list in which a stage fell back is asked for anew: there is time for a whole one."""


@dataclass(frozen=True)
class Prepared:
    """What a run did.

    Attributes:
        lists: made in this run.
        kept: people whose part was there already.
        degraded: of the made ones, those in which a stage fell back each time they were asked for.
        empty: of the made ones, those without an item.
    """

    lists: int
    kept: int
    degraded: int
    empty: int


def prepare(  # noqa: PLR0917
    people: People, folder: PreparedFolder, share: Share, endpoint: BulkEndpoint, clock: Clock, advance: Callable[[int], None]
) -> Prepared:
    """Make the lists of a share's parts that are missing.

    Args:
        people: of the folder's plan.
        folder: where parts go.
        share: which of them.
        endpoint: makes lists.
        clock: the present, UTC.
        advance: called with how many people came to be done.

    Raises:
        DependencyUnavailable: the endpoint went away; what is whole stays, and the same call goes on.
    """
    plan, missing = folder.plan, set(folder.missing())
    lists = kept = degraded = empty = 0
    for part in filter(share.has, range(plan.parts)):
        begin = part * plan.part_people
        ids = people.ids[begin : begin + plan.part_people]
        if part not in missing:
            kept += len(ids)
            advance(len(ids))
            continue
        answers = _made(ids, folder, part, endpoint, advance)
        folder.write(part, rows_of(ids, answers, clock()))
        lists += len(answers)
        degraded += sum(bool(answer.degraded) for answer in answers)
        empty += sum(not answer.recommendations for answer in answers)
    return Prepared(lists, kept, degraded, empty)


def _made(ids: Sequence[str], folder: PreparedFolder, part: int, endpoint: BulkEndpoint, advance: Callable[[int], None]) -> list[Answer]:
    plan = folder.plan
    consent = {} if plan.personalisation is None else {"consent": {"personalisation": plan.personalisation}}

    def ask(begin: int) -> list[Answer]:
        some = ids[begin : begin + LISTS_A_REQUEST]
        instances = [{"user_id": user_id, "surface": plan.surface, "k": plan.k, **consent} for user_id in some]
        answers = _whole(instances, f"{plan.run}-{part}-{begin // LISTS_A_REQUEST}", endpoint)
        advance(len(some))
        return answers

    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = [threads.submit(ask, begin) for begin in range(0, len(ids), LISTS_A_REQUEST)]
        try:
            return [answer for each in asked for answer in each.result()]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _whole(instances: Sequence[dict[str, object]], request_id: str, endpoint: BulkEndpoint) -> list[Answer]:
    answers = endpoint.ask(instances, request_id)
    for again in range(1, ASKED_AGAIN + 1):
        places = [place for place, answer in enumerate(answers) if answer.degraded]
        if not places:
            break
        anew = endpoint.ask([instances[place] for place in places], f"{request_id}-again{again}")
        for place, answer in zip(places, anew, strict=True):
            answers[place] = answer
    return answers

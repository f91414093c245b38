"""Who refused a change: the API server passes many words on that are not its own, and people look in the wrong place."""

import re

from endcap.core.errors import InvalidInput

_AUTHORS = (
    (r'admission webhook "(?P<name>[^"]+)" denied the request(?: without explanation)?:?\s*(?P<why>.*)', "admission webhook {name}"),
    (r'.*?failed calling webhook "(?P<name>[^"]+)":?\s*(?P<why>.*)', "admission webhook {name}, which does not answer"),
    (
        r".*?ValidatingAdmissionPolicy '(?P<name>[^']+)' with binding '[^']+' denied request:?\s*(?P<why>.*)",
        "ValidatingAdmissionPolicy {name}",
    ),
    (r".*?is forbidden: (?P<why>exceeded quota: (?P<name>[^,]+),.*)", "ResourceQuota {name}"),
    (r".*?is forbidden: (?P<why>violates PodSecurity .*)", "Pod Security"),
    (r'.*?is forbidden: (?P<why>User "(?P<name>[^"]+)" cannot .*)', "RBAC"),
)
"""How the API server words them, and what to call whoever decided."""
RIGHTS_FIX = "ask for the rights that docs/rollouts.md lists"


class Refused(InvalidInput):
    """A change that the API server does not take.

    Args:
        what: verb and object, for example `patch httproutes/endcap`.
        message: as the API server answers.
        namespace: of the object.

    Attributes:
        statement: one line for people: what, by whom and why.
    """

    def __init__(self, what: str, message: str, namespace: str) -> None:
        author, why = refused_by(message)
        self.statement = f"{what} is refused by {author}: {why}"
        verb, _, name = what.partition(" ")
        super().__init__(f"{verb} is refused by {author}: {why}", field=f"{namespace}/{name}", fix=RIGHTS_FIX if author == "RBAC" else None)


def refused_by(message: str) -> tuple[str, str]:
    """Who refused it, and why, of an answer of the API server."""
    for pattern, author in _AUTHORS:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            return author.format(**found.groupdict()), found["why"] or "no reason is given"
    return "the API server", message


def is_refusal(status: int, message: str) -> bool:
    """Whether an answer with an error's status refuses the change; with others nothing was decided."""
    return status in (400, 403, 422) or (status >= 500 and "failed calling webhook" in message)

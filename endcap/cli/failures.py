"""How a failed command tells a person what went wrong, and the meaning of exit codes."""

from rich.console import Console
from rich.text import Text

from endcap.core.errors import EndcapError

EXIT_CODES = {
    0: "done",
    1: "an error without a kind of its own",
    2: "a request, an option or a setting is wrong",
    3: "the dataset cannot be used",
    4: "the bundle is incomplete or corrupt",
    5: "a part endcap needs does not answer",
    6: "the promotion gate refused the bundle",
    7: "the cluster lacks something that the values need",
}


def report_failure(error: EndcapError) -> None:
    """Print one error to standard error, without a stack trace."""
    Console(stderr=True, highlight=False).print(Text.assemble(("error ", "bold red"), str(error)), soft_wrap=True)

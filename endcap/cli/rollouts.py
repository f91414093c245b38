"""`endcap rollout`: candidates on their way to all traffic, and what stopped them."""

import typer

app = typer.Typer(help="Watch and steer rollouts on a cluster.", no_args_is_help=True)

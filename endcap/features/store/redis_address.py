"""Redis' address as Feast takes it: host:port, then name=value pairs, all parted by commas; values as in JSON."""


def with_waits(address: str, seconds: float) -> str:
    """The address with an upper limit for each wait and no second attempts, unless it says otherwise itself.

    Redis' client waits without a limit, and after a failure tries thrice more with pauses of seconds: longer than any request may take.

    Args:
        address: for example `redis:6379,password="secret",ssl=true`.
        seconds: longest wait for a connection, and for each answer.
    """
    given = {part.split("=", 1)[0].strip() for part in address.split(",") if "=" in part}
    # `retry=null` is None to the client, which then fails at once; what went wrong is told to the caller, who knows what to do without.
    waits = {"socket_timeout": f"{seconds:g}", "socket_connect_timeout": f"{seconds:g}", "retry": "null"}
    return ",".join([address, *(f"{name}={value}" for name, value in waits.items() if name not in given)])

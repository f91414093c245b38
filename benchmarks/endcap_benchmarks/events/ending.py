"""How a part that a scenario started ends."""

import subprocess


def end(process: "subprocess.Popen[bytes]", within_seconds: float) -> None:
    """Ask it to end, and end it when it does not in time.

    Args:
        process: it.
        within_seconds: from the question on.
    """
    process.terminate()
    try:
        process.wait(within_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

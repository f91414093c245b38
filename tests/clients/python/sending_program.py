"""A shop's program: sends page views and says the id of each once the client has taken it. Its arguments: endpoint, key, folder, count."""

import sys
from pathlib import Path

from endcap_client.builders import page_view
from endcap_client.event_client import EventClient
from endcap_client.sending_options import SendingOptions

OPTIONS = SendingOptions(batch_events=50, linger_s=0.01, retry_s=0.05, retry_most_s=0.2, close_s=30)


def main() -> None:
    endpoint, key, folder, count = sys.argv[1:]
    with EventClient(endpoint, key, folder=Path(folder), options=OPTIONS) as client:
        for _ in range(int(count)):
            sys.stdout.write(client.send(page_view("s-1", store_id="killed")) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

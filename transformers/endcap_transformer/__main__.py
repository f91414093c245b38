"""`python -m endcap_transformer`: the transformer, configured by `ENDCAP_*`."""

import argparse
import sys

from endcap_transformer.server.server import WAIT_SECONDS, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m endcap_transformer", description=__doc__)
    parser.add_argument(
        "--wait-seconds",
        type=float,
        default=WAIT_SECONDS,
        help="how long Milvus and the model server may take to start (default: %(default)s)",
    )
    sys.exit(main(wait_s=parser.parse_args().wait_seconds))

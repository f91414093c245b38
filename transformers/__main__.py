"""`python -m transformers`: the transformer, configured by `ENDCAP_*`."""

import sys

from transformers.server import main

if __name__ == "__main__":
    sys.exit(main())

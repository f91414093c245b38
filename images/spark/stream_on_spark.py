"""The Spark application that is the stream: `local:///opt/endcap/stream_on_spark.py`."""

import sys

from endcap_stream.spark.job import main

if __name__ == "__main__":
    sys.exit(main())

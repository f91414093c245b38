"""The Spark application that computes features: `local:///opt/endcap/features_on_spark.py`."""

import sys

from endcap.features.spark.job import main

if __name__ == "__main__":
    sys.exit(main())

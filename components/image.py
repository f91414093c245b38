"""The container image that pipeline steps run in on a cluster."""

import os

BASE_IMAGE = os.environ.get("ENDCAP_PIPELINE_IMAGE", "endcap/pipeline:0.1.0")
"""Has endcap and its components installed, so that steps install nothing."""

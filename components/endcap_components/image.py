"""The container image that pipeline steps run in on a cluster."""

BASE_IMAGE = "endcap/pipeline:0.1.0"
"""Has endcap and its components installed, so that steps install nothing; the values that a pipeline is compiled with name another one."""

"""endcap: retail recommendations, from events to a KServe predict endpoint."""

__version__ = "0.1.0"

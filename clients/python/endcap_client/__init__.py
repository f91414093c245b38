"""For a shop's server: events to endcap's collector, and recommendations from its predict endpoint."""

"""Feast as endcap uses it: the store, its training joins, the online read and the push of session features."""

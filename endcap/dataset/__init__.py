"""Canonical datasets: a shop's files judged, described and kept."""

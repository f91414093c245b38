"""Moments as names of files and folders."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """For example 20171204T000000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

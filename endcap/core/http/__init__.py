"""Requests over HTTP as every deployable takes them: whole, within their limits and in time."""

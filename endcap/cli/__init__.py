"""The `endcap` command."""

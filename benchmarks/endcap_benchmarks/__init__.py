"""What endcap is worth, measured: each part prints one table."""

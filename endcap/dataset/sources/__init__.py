"""Where rows come from: a shop's own files, and data sets that endcap knows."""

"""Everything a run needs, asked for before anything is computed."""

"""Everything the models are trained and evaluated on, as of its moment."""

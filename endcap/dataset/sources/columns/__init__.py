"""Values of one column: texts, numbers and moments, however they are written."""

"""One figure each, with the goal that it is held against."""

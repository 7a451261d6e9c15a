"""Videos held against one another and against the truth: measures, a table, a plot, a side-by-side batch."""

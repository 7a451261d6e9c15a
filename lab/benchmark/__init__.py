"""The benchmark: seconds, rows and bytes of the method, the host and two other schools on one model."""

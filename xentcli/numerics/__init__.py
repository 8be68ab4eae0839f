"""Arithmetic that the rest relies on: exact sums, grid edges, log-domain kernels."""

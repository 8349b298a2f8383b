"""Measures the pipeline on benchmarks."""

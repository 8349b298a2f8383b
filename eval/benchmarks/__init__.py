"""Benchmarks in the forms that evaluators hold them in, read into `eval.cases.Benchmark`."""

from eval.benchmarks.finding import find_benchmark, load_benchmark
from eval.benchmarks.own import write_own

__all__ = ["find_benchmark", "load_benchmark", "write_own"]

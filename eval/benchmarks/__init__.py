"""Benchmarks in the forms that evaluators hold them in, read into `eval.cases.Benchmark`."""

from eval.benchmarks.finding import find_benchmark, load_benchmark
from eval.benchmarks.own import write_own
from eval.benchmarks.samples import load_cases
from eval.cases import Case

__all__ = ["Case", "find_benchmark", "load_benchmark", "load_cases", "write_own"]

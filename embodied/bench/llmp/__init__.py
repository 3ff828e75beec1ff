"""The LLM+P suite."""

from embodied.bench.llmp.suite import BENCHMARK as BENCHMARK

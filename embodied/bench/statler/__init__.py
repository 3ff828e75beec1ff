"""The Statler suite."""

from embodied.bench.statler.suite import BENCHMARK as BENCHMARK

"""The suite of strategies."""

from embodied.bench.strategies.suite import BENCHMARK as BENCHMARK

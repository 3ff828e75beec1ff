"""The Language to Rewards suite."""

from embodied.bench.l2r.suite import BENCHMARK as BENCHMARK

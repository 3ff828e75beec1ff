"""The suite of disturbances."""

from embodied.bench.disturb.suite import BENCHMARK as BENCHMARK

"""A model that drives by tools, on tasks that need it."""

from embodied.bench.tools.suite import BENCHMARK as BENCHMARK

"""Tasks of robouse, in its own simulator and by its own judge."""

from embodied.bench.robouse.suite import BENCHMARK as BENCHMARK

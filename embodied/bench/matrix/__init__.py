"""Every route in every world with every perception, on the same scenes and arms."""

from embodied.bench.matrix.suite import BENCHMARK as BENCHMARK

"""Where things were, from short stories."""

from embodied.bench.e2wm.suite import BENCHMARK as BENCHMARK

"""Plan generation from the text prompts of PlanBench."""

from embodied.bench.planbench.suite import BENCHMARK as BENCHMARK

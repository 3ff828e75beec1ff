"""The eight generative tasks of ACPBench Hard, with PDDL given."""

from embodied.bench.acp.suite import BENCHMARK as BENCHMARK

"""The suite of the critic."""

from embodied.bench.critic.suite import BENCHMARK as BENCHMARK

"""The suite in which contact dynamics are learned."""

from embodied.bench.contact.suite import BENCHMARK as BENCHMARK

"""The suite of translators."""

from embodied.bench.translate.suite import BENCHMARK as BENCHMARK

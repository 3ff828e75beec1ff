"""Benchmarks, found by name: one folder each, or another package's entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embodied.registry import Registry

if TYPE_CHECKING:
    from embodied.bench.benchmark import Benchmark

BENCHMARKS: Registry[Benchmark[object, object]] = Registry(
    "benchmark",
    group="embodied.benchmarks",
    package="embodied.bench",
    attribute="BENCHMARK",
    folders=True,
)

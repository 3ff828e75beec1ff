"""Sentences that mix goals, manners and motions, judged by the simulator's truth."""

from __future__ import annotations

from embodied.bench.mixed.suite import BENCHMARK as BENCHMARK

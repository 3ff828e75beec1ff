"""Levels of BabyAI in MiniGrid, judged by its environment."""

from embodied.bench.babyai.suite import BENCHMARK as BENCHMARK

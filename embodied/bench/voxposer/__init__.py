"""The VoxPoser suite and the analogues of its real tasks."""

from embodied.bench.voxposer.suite import BENCHMARK as BENCHMARK

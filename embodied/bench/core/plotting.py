"""Figures of benchmarks, drawn without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embodied.errors import EnvironmentMissingError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure, inches.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EnvironmentMissingError(
            "the plot needs matplotlib: pip install 'embodied-stack[bench]'"
        ) from error
    return Figure(figsize=(width_in, height_in), layout="constrained")

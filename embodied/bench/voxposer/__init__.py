"""The VoxPoser suite and the analogues of its real tasks."""

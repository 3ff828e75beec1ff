"""Worlds: scenes as data, the MuJoCo world, a fake one for tests, and what is true in them."""

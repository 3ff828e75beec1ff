"""Receipts: a signed account of what a run left behind, and what it was judged to be."""

"""The offline language model: a narrow 135M model that writes slots, expanded by code.

It answers what the rules refuse, on this machine and without a network. A grammar made from the
scene, narrowed to what was said, keeps its answers legal; code expands them to the same building
blocks that the rules use. Where something speaks against an answer, it asks instead.
"""

"""Measuring runtimes against each other: the protocol, the competitors, the machine and the floor it sets.

``slipway bench`` and ``benchmarks/runtimes.py`` both stand on this room, so that they measure the same thing.
"""

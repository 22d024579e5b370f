"""Data sets: one file each, all answering ``load(request) -> Dataset``; where data lives is in ``_root.py``."""

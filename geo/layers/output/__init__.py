"""Layers as tables and columns of exported files."""

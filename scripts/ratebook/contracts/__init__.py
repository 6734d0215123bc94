"""Grain, key, types and meaning of every table, one module a stage."""

"""Synthetic walkers whose motion obeys their forces."""

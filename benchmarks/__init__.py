"""Benchmarks: measure the figures of the README."""

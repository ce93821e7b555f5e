"""Benchmarks: measure the figures of docs/figures.md and docs/schedule.md."""

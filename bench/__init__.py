"""Benchmarks: a run against the psql floor and other tools, an idle run, round trips, planning."""

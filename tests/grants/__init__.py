"""Grants as code: wanted rights, differences, and both on real servers."""

"""A throw-away database on a server of our own, and a project replayed on it."""

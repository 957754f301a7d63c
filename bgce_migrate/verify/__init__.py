"""Every down proven on a throw-away server: up, down, compare, up again, compare."""

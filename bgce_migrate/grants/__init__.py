"""Rights as values: what the declarations want, what a server has, and the statements between the two."""

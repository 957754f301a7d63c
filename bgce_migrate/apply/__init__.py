"""What changes the target: the only package that runs steps."""

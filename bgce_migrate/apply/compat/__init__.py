"""What is kept true for other tools while we run."""

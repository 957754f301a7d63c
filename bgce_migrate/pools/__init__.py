"""Connection pools as values: what the services declared, and the files and sums that follow from it."""

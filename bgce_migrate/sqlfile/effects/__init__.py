"""What a statement makes, changes and uses."""

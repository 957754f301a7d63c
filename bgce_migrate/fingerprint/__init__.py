"""The catalog as values: everything a migration can change, hashed and compared. Pure."""

"""Taking over a database that exists: its history is written only where a replay equals what is there."""

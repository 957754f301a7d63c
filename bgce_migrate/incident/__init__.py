"""What an on-call person asks: what runs, what it waits for, who is in the way, and what may be done now."""

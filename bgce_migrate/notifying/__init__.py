"""A webhook that hears how each run ended: the shipped plugin `bgce_notifications`."""

"""What is measured: one table of metrics, from which text, alerts and dashboard are made."""

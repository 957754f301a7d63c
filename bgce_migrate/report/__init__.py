"""The only place that renders: text for people, JSON for programs, progress while a run goes on."""

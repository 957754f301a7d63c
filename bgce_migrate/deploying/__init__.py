"""Deployments: apply, run the command, ask for its health, and undo what this deployment applied where that fails."""

"""What services send, prepared on scratch before and after new steps: whose statement breaks, on what, by which step."""

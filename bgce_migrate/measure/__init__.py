"""What pending steps lock, rewrite, scan, make and drop, measured on scratch and weighed with a target's statistics."""

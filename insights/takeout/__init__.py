"""Data that leaves: of one customer at once, of the whole store as a job. `sheets` says what, `making` makes it."""

"""Writes of surveys: `inviting`, `answering`, `recovery`. The only writers of these states."""

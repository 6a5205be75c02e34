"""The first quarter of an hour of an owner: six steps, each of which may be skipped, and a card for the counter."""

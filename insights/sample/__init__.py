"""A made-up history to look at before there is a real one: in a store of its own, which leaves with one button."""

"""Orders from files: `tables` reads rows, `orders` makes orders of them, `run` records them."""

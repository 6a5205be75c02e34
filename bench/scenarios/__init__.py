"""What is measured: a module each with `measure(world, rounds) -> list[Figure]`."""

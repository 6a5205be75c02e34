"""How fast the hot paths are, each against a limit that is measured in the same rounds: `make bench`. See README.md."""

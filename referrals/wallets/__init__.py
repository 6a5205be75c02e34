"""Passes for the wallets of phones: the advocate's code always at hand, as Apple and Google want it."""

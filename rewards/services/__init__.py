"""Writes about rewards: `ledger` the books, `vouchers` the codes, `granting` what is owed."""

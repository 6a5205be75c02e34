"""Writes about referrals, by subject: programs, links, claims, attribution, deciding, asking."""

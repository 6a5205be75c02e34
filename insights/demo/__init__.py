"""The demo's past: three stores, a year of orders by a seeded generator, replayed through the real engine."""

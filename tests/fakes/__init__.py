"""Providers on the loopback: real sockets that behave as the providers' documentation says."""

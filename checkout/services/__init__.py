"""What the counter writes: settings, what devices held, PINs."""

"""History through the real services and sweeps, in simulated time (DESIGN section 4, "Time is an argument").

`history` reads orders and feedback, `engine` runs the days, `people` plays advocates, friends and staff,
`summary` counts what came of it.
"""

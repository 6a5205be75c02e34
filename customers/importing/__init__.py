"""Customers and orders from files: `tables` and `spreadsheets` read rows, `columns` guesses what stands where,
`people` and `orders` make customers and orders of them, `run` (a command) and `working` (a job) take them in."""

"""How fast the program is, against references measured in the same run: `python -m benchmarks`."""

"""What the benchmarks run in processes and terminals of their own."""

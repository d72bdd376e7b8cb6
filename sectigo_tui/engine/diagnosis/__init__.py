"""Who an order is waiting for, whether that is normal, and what to do next.

The parts, from the inside out: `evidence` (what is known, from where and since when, fetched within the request limit,
once for all orders), `rules` and `verdict` (pure: evidence to causes, and causes to a verdict), `stages` (a time line
no more precise than its sources), `normal` (this account's own figures), `common_causes` (what many orders wait for),
`result` (a diagnosis as one value), `escalation` and `report` (the documents that leave the program), and `diagnoser`
(all of it together).
"""

"""Who an order is waiting for, whether that is normal, and what to do next.

The parts, from the inside out: `evidence` (what is known, from where and since when), `domains` and `organizations`
(what it says about each domain and the organization), `findings` and `verdict` (pure: evidence to a verdict), `spans`
and `stages` (a time line that never claims more precision than its sources), `history` and `normal` (this account's
own figures), `outage`, `causes` and `budget` (plain values for views), `result` (a diagnosis as one value),
`markdown`, `escalation` and `report` (what leaves the program), `shelf`, `sources`, `knowledge` and `gathering`
(asking within the limit, once for all orders), and `diagnoser` (all of it together).
"""

"""DNS lookups for diagnosis: off unless the operator switches them on, and dnspython is imported by the first one."""

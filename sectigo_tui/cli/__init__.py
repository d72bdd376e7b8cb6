"""The command line: arguments in, exit code out. A subcommand's module is imported when it is run."""

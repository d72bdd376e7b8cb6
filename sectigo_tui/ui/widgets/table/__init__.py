"""The order table: any number of rows, at the cost of those in sight."""

"""What is below the widgets: driver, filters, clipboard."""

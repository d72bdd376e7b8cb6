"""Keys, CSRs and certificate bundles; cryptography is imported when first needed."""

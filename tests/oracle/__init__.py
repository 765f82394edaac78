"""A second, naive reading of the contract for telemetry, and the campaign that holds the product against it."""

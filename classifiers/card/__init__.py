"""A model's card: what people need to know before they trust it. Start at `write`."""

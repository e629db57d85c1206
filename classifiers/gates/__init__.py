"""What a version must pass before it is promoted without a written reason. Start at `judge`."""

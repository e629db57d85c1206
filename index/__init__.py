"""What is known so far: assessments and hits, searchable; derived from the log."""

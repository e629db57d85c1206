"""The five loops. Each is readable alone; `runtime.start` puts them together."""

LOOPS = ("collect", "analyze", "watch", "deliver", "desk")
"""In the order of the way of the data."""

"""When somebody is told, and how: rules, windows, episodes, delivery."""

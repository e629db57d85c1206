"""What people decided: the desk's database and its web pages."""

"""The desk's database: tables, migrations, connections. SQLite on one machine, PostgreSQL past it, the same code."""

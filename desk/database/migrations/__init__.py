"""The history of the schema, run by `desk.database.migrate`."""

"""The rules, once. Nothing in here knows SQL, HTTP, processes or a driver."""

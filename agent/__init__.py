"""The headless half: owns the store, computes fire times, executes runs, serves the API."""

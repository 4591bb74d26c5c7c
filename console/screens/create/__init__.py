"""The wizard that creates a job: template, what it does, when, review."""

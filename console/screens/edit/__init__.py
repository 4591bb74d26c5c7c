"""Editing a job: its draft in a form, compared before it is published."""

"""What a job is said to be: checked, changed by hand or in a draft, compared, and written as code."""

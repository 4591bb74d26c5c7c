"""The job type and action `email`: a templated mail with attachments."""

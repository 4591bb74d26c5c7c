"""Templates of mails and requests, rendered where they can do no harm."""

"""The terminal half: shows an agent's jobs and runs, and carries an operator's acts to it."""

"""How long the agent waits for a worker, in seconds."""

CHILDREN_FIRST = 0.7
"""Seconds that a worker has for its last words after everything below it was killed."""
CLEARING = 2.0
"""Seconds beyond the grace that a worker has to end what its run left."""
KEEPER_PATIENCE = 5.0
"""Seconds after which a keeper that was told to kill everything is no longer relied on."""
HELLO_PATIENCE = 60.0
"""Seconds that a worker has to start."""

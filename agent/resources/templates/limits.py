"""What a template may take."""

LONGEST = 200_000
"""Characters of one template."""
LARGEST = 5_000_000
"""Characters of all that is rendered at once."""
CPU_SECONDS = 3
SECONDS = 30.0
"""On the wall's clock, the process's start included: not what a busy machine needs for what is well."""
MEMORY = 256 * 1024 * 1024
"""Bytes beyond what the process has before it begins."""

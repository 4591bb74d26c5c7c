"""Care of a data folder beside the agent: copies of it, and a look at whether it is sound."""

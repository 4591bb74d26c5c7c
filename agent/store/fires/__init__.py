"""The ledger of fires: what is due, what became of it, and what is held for an operator."""

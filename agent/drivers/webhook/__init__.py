"""The action `webhook`: tells another system of the run, by HTTP POST."""

"""Outgoing HTTP of runs: what is sent, where it may go, what came back."""

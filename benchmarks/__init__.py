"""Figures beside a peer or a physical limit, measured in the same run: ratios count, seconds are the machine's."""

"""The warm pool of worker processes, the wire to them, and the proof that a run's processes are gone."""

"""HTTP over the core: the native API, the published contracts, the event stream. No rule lives here."""

"""The composition root, part by part; `agent.app` puts the parts together, and nobody else looks in here."""

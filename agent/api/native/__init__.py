"""The native API under `/api`; docs/api/native.md is its page."""

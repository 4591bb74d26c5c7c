"""From state to text. Pure: no clock, no terminal, no Textual app; time comes in as a parameter."""

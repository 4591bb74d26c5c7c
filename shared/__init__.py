"""What console and agent agree on: words, shapes, pure rules. No I/O."""

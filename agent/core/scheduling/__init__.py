"""When jobs fire, how often they may, and what becomes of fires that were missed."""

"""Lists of runs: filtered, searched and counted, so that what a page costs does not grow with how many there are."""

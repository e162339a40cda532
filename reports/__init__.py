"""Reports made from results files; imports nothing of the other packages."""

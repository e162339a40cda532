"""Scripts of users: run in a process of their own, cut off when they take too much."""

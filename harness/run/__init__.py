"""Running a graph of steps: leases, executors, and what a run would do and why."""

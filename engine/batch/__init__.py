"""Many recordings: one unit, the processes of this machine, a Ray cluster."""

"""Steps as Slurm jobs: submit and leave, look, collect, cancel."""

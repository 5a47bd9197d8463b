"""Results and programs of others: readers of files, and programs that are run as steps."""

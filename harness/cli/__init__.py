"""The command `repro`."""

"""What the paper says: frozen models of the TOML specs, their loading, and located errors."""

"""The paper's own statements: frozen models of the TOML specs, loading, and located errors."""

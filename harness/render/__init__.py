"""What people see: one immutable table model and one figure model, and renderers that are pure."""

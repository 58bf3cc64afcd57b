"""Reports: one object per kind, shown as text or as JSON."""

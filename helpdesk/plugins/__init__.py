"""The plugin machinery. It knows nothing of the domain."""

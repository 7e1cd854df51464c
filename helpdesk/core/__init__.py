"""The domain: users, tickets, workflow. It knows no HTTP and no plugin by name."""

"""Being told: who is told of what, in which way, once."""

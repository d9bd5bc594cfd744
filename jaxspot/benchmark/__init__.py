"""How fast everything costly is, beside what one would use instead."""

"""How answers look: tables, JSON, pictures."""

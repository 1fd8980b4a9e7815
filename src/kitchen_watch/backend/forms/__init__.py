"""Check forms: fixed items in sections, versioned; what a filled form may say is decided here."""

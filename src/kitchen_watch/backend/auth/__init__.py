"""Who may come in: people with passwords and sessions, edges with signed requests."""

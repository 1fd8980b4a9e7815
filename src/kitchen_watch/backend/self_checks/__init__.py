"""Self-checks of premises: 日管控, 周排查, 月调度 on versioned forms; due, handed in, late, missing."""

"""How it is told: tables for people, one file for programs, and the goals beside the figures."""

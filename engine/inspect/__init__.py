"""What a recorded session can tell: a summary for people, and exports for other programs."""

"""First steps: what this is, and whether microphone, loudspeaker and camera work."""

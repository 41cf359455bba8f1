"""The page of recorded sessions: find, open, name, import and delete them."""

"""Export: a session, or what the timeline shows of it, as a file for another program."""

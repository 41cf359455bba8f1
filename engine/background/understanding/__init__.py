"""From the words of a request to a call of a tool, without guessing: what is not understood is no call."""

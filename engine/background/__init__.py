"""The background mind: protocol, supervising client, worker process."""

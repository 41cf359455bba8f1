"""Interaction engines behind one interface (`engine.engines.base`)."""

"""Session folders: format, writer thread, reader, exports."""

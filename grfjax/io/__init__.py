"""Reads and writes files: recording sets, force files, videos; writes each whole or not at all."""

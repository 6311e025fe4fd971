"""Files: recording sets, force files, videos; each is written whole or not at all."""

"""Magic: the `%cometvid` magic."""

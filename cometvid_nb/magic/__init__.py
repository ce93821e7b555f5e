"""Magic: %cometvid."""

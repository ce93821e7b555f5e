"""Display: where watches are shown."""

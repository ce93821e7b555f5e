"""The tests; `tests/browser` holds those that drive a real JupyterLab in a real Chromium."""

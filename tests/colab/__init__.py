"""Colab: the package with its pins, its kernel and its page; see requirements.txt."""

"""The forms in which real servers send one and the same answer, a module and a table per idea."""

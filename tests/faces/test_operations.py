"""Twin of faces/operations.py: being written."""

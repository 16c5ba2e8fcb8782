"""Twin of faces/control.py: being written."""

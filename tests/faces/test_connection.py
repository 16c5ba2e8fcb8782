"""Twin of faces/connection.py: being written."""

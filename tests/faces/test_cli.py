"""Twin of faces/cli.py: being written."""

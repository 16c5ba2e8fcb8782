"""The admin API over HTTP: what the command line can do, and what the web app needs, below /admin/api/v1."""

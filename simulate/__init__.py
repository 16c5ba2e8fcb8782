"""The real router in played time: see __main__.py."""

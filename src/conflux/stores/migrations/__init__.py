"""The schema's history, oldest first. A migration that was released is never changed."""

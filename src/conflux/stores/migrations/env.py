"""Alembic's entry: runs the migrations on the connection that conflux.stores.migrate hands over.

Law: no configuration file, no address; one transaction for the whole way, so an interrupted migration never was.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

"""The local runner: real servers, a local mailbox and the services as child processes, without containers.

Nothing of the services is imported here: they are started as ``python -m services.<name>``, as production starts them.
"""

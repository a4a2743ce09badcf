"""What the services truly share: events, topology, the outbox, the policy engine. It imports no service."""

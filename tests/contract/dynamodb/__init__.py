"""The DynamoDB adapters beyond their ports: calls, rows, faults, restored tables."""

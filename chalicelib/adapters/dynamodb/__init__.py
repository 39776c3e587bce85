"""DynamoDB: three tables, one module a store."""

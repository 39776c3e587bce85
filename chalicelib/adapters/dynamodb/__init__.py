"""DynamoDB: three tables, one module for each store."""

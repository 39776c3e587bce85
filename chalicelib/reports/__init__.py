"""Pure rendering: domain values in, dictionaries and bytes out."""

"""Unit tests of announcing and delivering."""

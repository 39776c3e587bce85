"""What every AWS adapter needs: errors in our words, and calls counted."""

"""What the pack ships for a first run: characters with known truth and a small model that animates them."""

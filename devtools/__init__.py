"""What dev.py does, with the standard library only: find the host, set up the environment, run in it."""

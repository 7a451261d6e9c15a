"""What the nodes that run the model do: the method inside the host's sampling, a file for each node."""

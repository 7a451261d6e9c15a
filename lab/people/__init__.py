"""What makes the data of the rendered people; never shipped."""

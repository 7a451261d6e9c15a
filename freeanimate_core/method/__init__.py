"""RA-SA, IBA and DDIM inversion with attention capture, in torch alone."""

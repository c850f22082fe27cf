"""What happens inside the network, made visible."""

"""What the files mean, as typed data, and the plain data on the arrows of the flow."""

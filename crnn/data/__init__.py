"""Line data: where it comes from, whether it can be used, and how it reaches the network."""

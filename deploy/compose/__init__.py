"""What Docker Compose needs beside the images: the front door, the probe, development secrets and how to make one's own."""

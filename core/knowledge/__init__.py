"""What documents tell: read into passages, found by what a caller asks, cited in answers. Pure."""

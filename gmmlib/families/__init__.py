"""What one component of a mixture may be; a folder each."""

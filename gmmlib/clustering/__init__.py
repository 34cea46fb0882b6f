"""k-means: hard assignment, Lloyd's descent and its starts (chapter 13)."""

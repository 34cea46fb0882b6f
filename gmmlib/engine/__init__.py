"""The EM algorithm itself: the sweep over the data, the loop, its acceleration."""

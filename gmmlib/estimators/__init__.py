"""Estimators with scikit-learn's interface; the only place that knows scikit-learn."""

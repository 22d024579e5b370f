"""From a trained module to a verified bundle."""
